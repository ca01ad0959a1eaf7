"""What the tables of signing share."""

from django.db.models import Func


class SameRow(Func):
    """``int8range(id, id, '[]')``: equality as an overlap, which a GiST index can exclude without the extension
    btree_gist."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, %(expressions)s, '[]')"


class Days(Func):
    """``daterange(first, last, '[]')``: both days count; no last day means for ever."""

    function = "daterange"
    template = "%(function)s(%(expressions)s, '[]')"
