"""How Sphinx builds the docs. It reads the docstrings and needs no Qt."""

from __future__ import annotations

from importlib.metadata import version as _version

project = "napari-nanoqr"
author = "The napari-nanoqr developers"
copyright = "the napari-nanoqr developers"
release = _version("napari-nanoqr")
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
# Arrays and paths as the source writes them, not spelled out into unions
autodoc_type_aliases = {"ArrayLike": "ArrayLike", "NDArray": "NDArray", "PathLike": "PathLike"}
napoleon_google_docstring = False
napoleon_numpy_docstring = True
# Otherwise the attributes of a dataclass are described twice, and Sphinx warns
napoleon_use_ivar = True

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = "napari-nanoqr"
html_theme_options = {
    "source_repository": "https://github.com/napari-nanoqr/napari-nanoqr/",
    "source_branch": "main",
    "source_directory": "docs/",
}
