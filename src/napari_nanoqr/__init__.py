"""Write data into ceramic films and read it back: encode, mill, image, decode.

The public API is the list of names in ``__init__.pyi``. They are imported when first
used, so that ``import napari_nanoqr`` costs next to nothing.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
