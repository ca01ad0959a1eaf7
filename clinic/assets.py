"""Static files with the content's hash in their names, so that browsers keep them for ever."""

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage

_js_glob, _js_imports = HashedFilesMixin._js_module_import_aggregation_patterns


class Storage(CompressedManifestStaticFilesStorage):
    """A file that was not collected is served under its plain name: tests and a first start need no
    collected files."""

    manifest_strict = False
    # The chart's modules import one another: by hashed names too, or an upgrade would mix old and new. Only
    # ours: packages bring modules that name files they do not ship.
    patterns = (*HashedFilesMixin.patterns, ("js/*.js", _js_imports))
