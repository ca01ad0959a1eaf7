"""Choices and code tables of the ground floor, in the national standards' order."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class InstitutionKind(TextChoices):
    DISTRICT = "district", _("district office")
    CENTRE = "centre", _("health centre")
    STATION = "station", _("health station")


class Role(TextChoices):
    DOCTOR = "doctor", _("doctor")
    ASSISTANT = "assistant", _("assistant doctor")
    NURSE = "nurse", _("nurse")
    CLERK = "clerk", _("station clerk")
    MANAGER = "manager", _("centre manager")
    CENTRE_IT = "centre_it", _("centre IT")
    DISTRICT = "district", _("district business")
    DISTRICT_IT = "district_it", _("district IT")
    VENDOR = "vendor", _("vendor engineer")
    AUDITOR = "auditor", _("auditor")
    SYSADMIN = "sysadmin", _("system administrator")
    SECADMIN = "secadmin", _("security administrator")
    INTEGRATOR = "integrator", _("integrator")


class IdType(TextChoices):
    RESIDENT = "01", _("resident identity card")
    HK_MACAO_TAIWAN = "02", _("Hong Kong, Macao or Taiwan residence permit")
    FOREIGN = "03", _("foreign permanent resident card")
    PASSPORT = "04", _("passport")
    BIRTH = "05", _("birth certificate")
    NEWBORN = "06", _("newborn without papers")
    NONE = "99", _("no papers")


class Sex(TextChoices):
    """GB/T 2261.1."""

    UNKNOWN = "0", _("unknown")
    MALE = "1", _("male")
    FEMALE = "2", _("female")
    UNSTATED = "9", _("not stated")


class Marital(TextChoices):
    """GB/T 2261.2, first digit."""

    SINGLE = "10", _("single")
    MARRIED = "20", _("married")
    WIDOWED = "30", _("widowed")
    DIVORCED = "40", _("divorced")
    UNSTATED = "90", _("not stated")


class Occupation(TextChoices):
    """The groups of the health record's cover sheet."""

    OFFICIAL = "0", _("official or manager")
    PROFESSIONAL = "1", _("professional")
    CLERICAL = "2", _("clerical worker")
    SERVICE = "3", _("commerce or service")
    FARMER = "4", _("farmer")
    WORKER = "5", _("production or transport")
    SOLDIER = "6", _("soldier")
    OTHER = "7", _("other")
    NONE = "8", _("none")
    STUDENT = "9", _("student")
    RETIRED = "R", _("retired")


class Insurance(TextChoices):
    EMPLOYEE = "employee", _("employee insurance")
    RESIDENT = "resident", _("resident insurance")
    RESIDENT_SENIOR = "resident_senior", _("resident insurance, senior")
    RESIDENT_CHILD = "resident_child", _("resident insurance, child")
    FREE = "free", _("public medical care")
    COMMERCIAL = "commercial", _("commercial insurance")
    SELF = "self", _("self-paid")
    OTHER = "other", _("other")


class OldOrYoung(TextChoices):
    """一老一小: the insured old and young of resident insurance (clinic.old_or_young)."""

    OLD = "old", _("insured, old")
    YOUNG = "young", _("insured, young")


class BloodType(TextChoices):
    A = "A", "A"
    B = "B", "B"
    AB = "AB", "AB"
    O = "O", "O"  # noqa: E741 - the blood group is called so
    UNKNOWN = "U", _("unknown")


class RhType(TextChoices):
    POSITIVE = "+", _("Rh positive")
    NEGATIVE = "-", _("Rh negative")
    UNKNOWN = "U", _("unknown")


class KeyPopulation(TextChoices):
    """重点人群, rules B4.5. The age groups (0–6, seniors) are computed, not tagged."""

    PREGNANT = "pregnant", _("pregnant or in childbed")
    DISABLED = "disabled", _("disabled")
    LOW_INCOME = "low_income", _("out of poverty or low income")
    FAMILY_PLANNING = "family_planning", _("special family-planning family")
    HYPERTENSION = "hypertension", _("hypertension")
    DIABETES = "diabetes", _("type 2 diabetes")
    TUBERCULOSIS = "tuberculosis", _("tuberculosis")
    MENTAL = "mental", _("severe mental disorder")
    COPD = "copd", _("COPD")
    TUMOUR = "tumour", _("tumour")
    VETERAN = "veteran", _("entitled group")


class TagSource(TextChoices):
    VISIT = "visit", _("visit")
    SURVEY = "survey", _("home survey")
    IMPORT = "import", _("import")
    REPORT = "report", _("resident's report")


class HouseholdRelation(TextChoices):
    """GB/T 4761, first digit."""

    HEAD = "0", _("head")
    SPOUSE = "1", _("spouse")
    SON = "2", _("son")
    DAUGHTER = "3", _("daughter")
    GRANDCHILD = "4", _("grandchild")
    PARENT = "5", _("parent")
    GRANDPARENT = "6", _("grandparent")
    SIBLING = "7", _("sibling")
    OTHER = "8", _("other relative")
    UNRELATED = "9", _("unrelated")


class LifeState(TextChoices):
    LIVING = "living", _("living here")
    MOVED = "moved", _("moved away")
    DECEASED = "deceased", _("deceased")


class Act(TextChoices):
    """What the audit trail tells of."""

    VIEW = "view", _("view")
    SEARCH_OPEN = "search-open", _("open from search")
    GRANT = "grant", _("access granted with reason")
    CREATE = "create", _("create")
    CHANGE = "change", _("change")
    MERGE = "merge", _("merge")
    UNMERGE = "unmerge", _("undo merge")
    CHECK_IN = "check-in", _("check in")
    CANCEL = "cancel", _("cancel")
    SIGN = "sign", _("sign")
    REVIEW = "review", _("review")
    CORRECT = "correct", _("correct")
    REQUEST = "request", _("request a change")
    DECIDE = "decide", _("decide on a request")
    RESTORE = "restore", _("restore a draft")
    INQUIRE = "inquire", _("inquire after a record")
    SEAL_COPY = "seal-copy", _("seal a copy")
    UNSEAL = "unseal", _("unseal a copy")
    COPY = "copy", _("hand out a copy")
    REFER = "refer", _("referral")
    SEND = "send", _("send messages")
    CONSENT = "consent", _("consent or refusal of messages")
    QUOTA = "quota", _("message allowance")
    GATEWAY = "gateway", _("gateway")
    TEAM = "team", _("team or package of family doctors")
    AGREE = "agree", _("agreement")
    SERVE = "serve", _("service of an agreement")
    PRINT = "print", _("print")
    EXPORT = "export", _("export")
    IMPORT = "import", _("import")
    REVEAL = "reveal", _("reveal")
    SIGN_IN = "sign-in", _("sign in")
    SIGN_OUT = "sign-out", _("sign out")
    SIGN_IN_FAILED = "sign-in-failed", _("failed sign-in")
    PASSWORD = "password", _("password or second factor changed")  # noqa: S105 - the act's name
    ROLE = "role", _("role granted")
    UNLOCK = "unlock", _("account unlocked")
    DENIED = "denied", _("denied")
    REFUSED = "refused", _("refused")


class Ethnicity(IntegerChoices):
    """GB/T 3304."""

    HAN = 1, "汉族"
    MONGOL = 2, "蒙古族"
    HUI = 3, "回族"
    TIBETAN = 4, "藏族"
    UYGHUR = 5, "维吾尔族"
    MIAO = 6, "苗族"
    YI = 7, "彝族"
    ZHUANG = 8, "壮族"
    BUYI = 9, "布依族"
    KOREAN = 10, "朝鲜族"
    MANCHU = 11, "满族"
    DONG = 12, "侗族"
    YAO = 13, "瑶族"
    BAI = 14, "白族"
    TUJIA = 15, "土家族"
    HANI = 16, "哈尼族"
    KAZAKH = 17, "哈萨克族"
    DAI = 18, "傣族"
    LI = 19, "黎族"
    LISU = 20, "傈僳族"
    WA = 21, "佤族"
    SHE = 22, "畲族"
    GAOSHAN = 23, "高山族"
    LAHU = 24, "拉祜族"
    SHUI = 25, "水族"
    DONGXIANG = 26, "东乡族"
    NAXI = 27, "纳西族"
    JINGPO = 28, "景颇族"
    KIRGIZ = 29, "柯尔克孜族"
    TU = 30, "土族"
    DAUR = 31, "达斡尔族"
    MULAO = 32, "仫佬族"
    QIANG = 33, "羌族"
    BLANG = 34, "布朗族"
    SALAR = 35, "撒拉族"
    MAONAN = 36, "毛南族"
    GELAO = 37, "仡佬族"
    XIBE = 38, "锡伯族"
    ACHANG = 39, "阿昌族"
    PUMI = 40, "普米族"
    TAJIK = 41, "塔吉克族"
    NU = 42, "怒族"
    UZBEK = 43, "乌孜别克族"
    RUSSIAN = 44, "俄罗斯族"
    EWENKI = 45, "鄂温克族"
    DEANG = 46, "德昂族"
    BONAN = 47, "保安族"
    YUGUR = 48, "裕固族"
    GIN = 49, "京族"
    TATAR = 50, "塔塔尔族"
    DERUNG = 51, "独龙族"
    OROQEN = 52, "鄂伦春族"
    HEZHEN = 53, "赫哲族"
    MONBA = 54, "门巴族"
    LHOBA = 55, "珞巴族"
    JINO = 56, "基诺族"
    OTHER = 97, _("other")
