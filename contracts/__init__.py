"""Family-doctor signing 家庭医生签约: teams, packages, agreements.

May import emr, messaging and clinic.
"""
