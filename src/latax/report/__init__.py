"""Reports: what a fit or a study found, as tables, figures and one self-contained page."""
