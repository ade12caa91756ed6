"""Sphinx configuration: MyST pages, the furo theme, and the API from the docstrings. Builds without a network."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "latax"
author = "The latax authors"
copyright = "2026, the latax authors"
version = release = version_of("latax")

extensions = ["markdown_docstrings", "myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "show-inheritance": True, "exclude-members": "__init__, __new__"}
add_module_names = False
python_maximum_signature_line_length = 110

html_theme = "furo"
html_title = f"latax {release}"
html_extra_path = ["llms.txt"]
html_show_sourcelink = False
