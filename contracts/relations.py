"""How whoever signs for a household is related to each of it, as far as the cover sheets tell."""

from clinic.codes import HouseholdRelation as H
from contracts.codes import Relation

# What the head is to somebody of this relation to the head, and what that somebody is to the head.
OF_HEAD = {
    H.SPOUSE: Relation.SPOUSE, H.SON: Relation.PARENT, H.DAUGHTER: Relation.PARENT, H.GRANDCHILD: Relation.GRANDPARENT,
    H.PARENT: Relation.CHILD, H.SIBLING: Relation.SIBLING,
}  # fmt: skip
TO_HEAD = {
    H.SPOUSE: Relation.SPOUSE, H.SON: Relation.CHILD, H.DAUGHTER: Relation.CHILD, H.PARENT: Relation.PARENT,
    H.GRANDPARENT: Relation.GRANDPARENT, H.SIBLING: Relation.SIBLING,
}  # fmt: skip
CHILDREN = (H.SON, H.DAUGHTER)
# Who signs for a child without being asked how.
ELDERS = (Relation.PARENT, Relation.GRANDPARENT)
OF_AGE = 18


def between(signer, member) -> str:
    """``signer`` is the ... of ``member`` (Relation); empty where nobody can tell."""
    his, its = signer.household_relation, member.household_relation
    if his == H.HEAD:
        return OF_HEAD.get(its, "")
    if its == H.HEAD:
        return TO_HEAD.get(his, "")
    if its in CHILDREN:
        return {
            H.SPOUSE: Relation.PARENT,
            H.PARENT: Relation.GRANDPARENT,
            **dict.fromkeys(CHILDREN, Relation.SIBLING),
        }.get(his, "")
    return ""
