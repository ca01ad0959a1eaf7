"""Static files with the content's hash in their names, so that browsers keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """A file that was not collected is served under its plain name: tests and a first start need no
    collected files."""

    manifest_strict = False
