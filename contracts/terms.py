"""The days of an agreement (rules B4.1): one to three whole years."""

from datetime import date, timedelta


def last_day(start: date, years: int) -> date:
    """The day before the same day so many years later; what began on 29 February ends on 28 February."""
    year = start.year + years
    if year > date.max.year:  # what somebody typed; no agreement begins that late
        return date.max
    try:
        return start.replace(year=year) - timedelta(days=1)
    except ValueError:  # 29 February in a year that has none
        return date(year, 2, 28)


def renewal_start(agreement, today: date) -> date:
    """The day after the last one; today where that has passed."""
    return max(agreement.last_day + timedelta(days=1), today)
