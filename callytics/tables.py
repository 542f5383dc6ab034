"""Tables of all capabilities.

Importing this module puts each of them into the metadata: Alembic compares the database with it,
and foreign keys between packages are resolved in it.
"""

from callytics.audit.models import AuditEntry, Change
from callytics.calls.models import Call
from callytics.flows.models import FlowDocument, FlowDraft
from callytics.pbx.models import Pbx
from callytics.people.models import User
from callytics.queues.models import Member, MemberPause, Waiting
from callytics.recordings.folder_identity import RecordingsFolder
from callytics.recordings.models import Note, Recording, Tag
from callytics.retention.models import RetentionRun
from callytics.search.models import SavedSearch
from callytics.settings.models import Setting

__all__ = [
    "AuditEntry",
    "Call",
    "Change",
    "FlowDocument",
    "FlowDraft",
    "Member",
    "MemberPause",
    "Note",
    "Pbx",
    "Recording",
    "RecordingsFolder",
    "RetentionRun",
    "SavedSearch",
    "Setting",
    "Tag",
    "User",
    "Waiting",
]
