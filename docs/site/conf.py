"""How Sphinx makes the site; `make site` does it."""

import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

project = "trustbayes"
author = "The trustbayes maintainers"
release = metadata.version("trustbayes")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
    "mathml",
]
templates_path = ["templates"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # `make notebooks` has executed them
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_use_param = False  # types are words, and no names to be linked
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "undoc-members": False}

html_theme = "pydata_sphinx_theme"
html_title = "trustbayes"
html_context = {"default_mode": "auto"}  # light or dark, as the reader has it
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": True,
    "search_bar_text": "Search",
}
html_sidebars = {"**": []}  # pages have no parts that would stand there
html_show_sourcelink = False
html_math_renderer = "mathml"
