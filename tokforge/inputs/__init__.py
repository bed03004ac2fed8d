"""Whatever the user names becomes documents as bytes, and nothing is dropped in silence.

`open_sources` resolves INPUTs, `documents` reads them, `batches` groups them for the engine::

    >>> sources = open_sources(["LICENSE"])
    >>> [(document.path, len(document.data) > 1000) for document in documents(sources)]
    [('LICENSE', True)]
"""

from tokforge.inputs.archives import ArchiveOptions, read_archive
from tokforge.inputs.config import CurationConfig
from tokforge.inputs.curation import Curation, CurationReport, archive_options
from tokforge.inputs.detect import Detection, Kind, detect_kind, detect_sources
from tokforge.inputs.reading import (
    ByteView,
    Document,
    Meter,
    Progress,
    Sample,
    batches,
    documents,
    peek,
    read_file,
    read_sources,
)
from tokforge.inputs.source import InputFile, Remark, Source, open_sources

__all__ = [
    "ArchiveOptions",
    "ByteView",
    "Curation",
    "CurationConfig",
    "CurationReport",
    "Detection",
    "Document",
    "InputFile",
    "Kind",
    "Meter",
    "Progress",
    "Remark",
    "Sample",
    "Source",
    "archive_options",
    "batches",
    "detect_kind",
    "detect_sources",
    "documents",
    "open_sources",
    "peek",
    "read_archive",
    "read_file",
    "read_sources",
]
