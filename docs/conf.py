"""Sphinx configuration: MyST pages, the furo theme, and the API from the docstrings. Builds without a network."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "latax"
author = "The latax authors"
copyright = "2026, the latax authors"
version = release = version_of("latax")

extensions = ["markdown_docstrings", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "show-inheritance": True, "exclude-members": "__init__, __new__"}
add_module_names = False

html_theme = "furo"
html_title = f"latax {release}"
html_extra_path = ["llms.txt"]
html_show_sourcelink = False
