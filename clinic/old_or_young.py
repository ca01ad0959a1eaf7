"""一老一小: the insured old and young, whose referrals must be filed with city insurance."""

from django.conf import settings

from clinic.codes import Insurance, OldOrYoung


def old_or_young(resident, day) -> OldOrYoung | str:
    """OldOrYoung.OLD, OldOrYoung.YOUNG, or "" for everybody else, on that day.

    City insurance knows both groups within resident insurance (城乡居民基本医疗保险) only. The kind "senior" is
    old and the kind "child" young whatever the age; plain resident insurance goes by completed years: old from
    settings.INSURED_OLD_AGE (60) on, young below settings.INSURED_YOUNG_AGE (18). Employee insurance, public
    medical care, commercial insurance and those who pay themselves are neither (rules B5.4).
    """
    if resident.insurance == Insurance.RESIDENT_SENIOR:
        return OldOrYoung.OLD
    if resident.insurance == Insurance.RESIDENT_CHILD:
        return OldOrYoung.YOUNG
    if resident.insurance != Insurance.RESIDENT:
        return ""
    age = resident.age_on(day)
    if age >= settings.INSURED_OLD_AGE:
        return OldOrYoung.OLD
    return OldOrYoung.YOUNG if age < settings.INSURED_YOUNG_AGE else ""
