"""What is paid in the end: frozen penalties are taken off the payments that come after their month."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from maintenance.models import Payment, Statement

NOTHING = Decimal(0)


@dataclass
class Due:
    """A payment, what is taken off it [(statement, CNY)], and what is left to pay."""

    payment: Payment
    off: list = field(default_factory=list)

    @property
    def taken(self) -> Decimal:
        return sum((amount for _statement, amount in self.off), NOTHING)

    @property
    def payable(self) -> Decimal:
        return self.payment.amount - self.taken


def settle(payments, statements) -> tuple[list[Due], Decimal]:
    """The payments in their order with what is taken off each, and what no payment was left for: the vendor pays that back. A
    statement's sum goes off the first payment due after its month, the rest off those that follow."""
    dues = [Due(one) for one in sorted(payments, key=lambda row: (row.due_on, row.pk))]
    left_over = NOTHING
    for statement in sorted(statements, key=lambda row: row.month):
        after = (statement.month + timedelta(days=32)).replace(day=1)
        rest = statement.total
        for due in dues:
            if due.payment.due_on < after or not rest:
                continue
            part = min(rest, due.payable)
            if part:
                due.off.append((statement, part))
                rest -= part
        left_over += rest
    return dues, left_over


def of_contract(contract) -> tuple[list[Due], Decimal]:
    """Two queries."""
    return settle(Payment.objects.filter(contract=contract), Statement.objects.filter(contract=contract))
