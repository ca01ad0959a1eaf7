"""A dozen templates of the common diseases of a station: the district's, a centre's, and a doctor's own."""

import uuid

from django.utils import timezone

from emr.actions import templates
from emr.codes import System, TemplateKind
from emr.models import TermRelease

SPACE = uuid.UUID("6f1f2c1e-7d53-4b6f-9d4e-0a1f6f4b2c11")  # the same keys each time: made once


def _release():
    found = TermRelease.objects.filter(system=System.ICD10).in_force(timezone.localdate()).first()
    return found.name if found else ""


def _diagnosis(code, name, primary=True):
    return {
        "system": "icd10", "release": "", "code": code, "name": name, "certainty": "confirmed", "primary": primary,
    }  # fmt: skip


def _drug(drug, dose, frequency, days, route="po"):
    return {
        "drug": drug,
        "dose": dose,
        "route": route,
        "frequency": frequency,
        "days": str(days),
        "reason": "",
    }


def _long(drug, dose, frequency):
    return {**_drug(drug, dose, frequency, 28), "reason": "慢性病长期处方"}


def _plan(complaint, signs, diagnosis, treatment, *drugs):
    return {
        "chief_complaint": complaint, "signs": signs, "diagnoses": [diagnosis], "treatment": treatment,
        "medications": list(drugs),
    }  # fmt: skip


# name, department, field ("" for a plan), content
DISTRICT = (
    ("上感", "", _plan("【症状】【天数】天", "咽部充血，扁桃体不大，双肺呼吸音清，未闻及干湿啰音。", _diagnosis("J06.900", "急性上呼吸道感染"),
        "多饮水，注意休息；体温超过38.5℃口服退热药；三日不退热复诊。", _drug("布洛芬缓释胶囊", "0.3g", "prn", 3))),
    ("高血压复诊", "", _plan("血压升高复诊，【自觉症状】", "心率【次数】次/分，律齐，各瓣膜区未闻及杂音，双下肢无水肿。", _diagnosis("I10.x00", "高血压"),
        "低盐饮食，每日食盐少于5克；坚持服药，每周测血压3次；【复诊时间】复诊。", _long("苯磺酸氨氯地平片", "5mg", "qd"))),
    ("2型糖尿病复诊", "", _plan("口渴、多饮复诊，【变化】", "足背动脉搏动【好坏】，双足皮肤完好。", _diagnosis("E11.900", "2型糖尿病"),
        "继续饮食控制，每日步行30分钟；监测空腹及餐后血糖；三个月复查糖化血红蛋白。", _long("盐酸二甲双胍片", "0.5g", "bid"))),
    ("急性支气管炎", "", _plan("咳嗽、咳痰【天数】天", "双肺呼吸音粗，【啰音】。", _diagnosis("J20.900", "急性支气管炎"),
        "化痰止咳，避免刺激性气味；加重或发热随诊。", _drug("盐酸氨溴索片", "30mg", "tid", 5))),
    ("查体未见异常", "signs", {"signs": "神清，精神可，心率【次数】次/分，律齐，双肺呼吸音清，腹软无压痛，双下肢无水肿。"}),
)  # fmt: skip
CENTRE = (
    ("腰痛", "", _plan("腰痛【天数】天", "腰肌紧张，局部压痛，直腿抬高试验【阴性或阳性】。", _diagnosis("M62.600", "腰肌劳损"),
        "卧床休息，避免负重；局部热敷；不缓解行腰椎检查。", _drug("双氯芬酸二乙胺乳胶剂", "适量", "tid", 7, "top"))),
    ("急性腹泻", "", _plan("腹泻【天数】天", "腹软，脐周轻压痛，肠鸣音活跃，皮肤弹性【好坏】。", _diagnosis("K59.100", "功能性腹泻"),
        "清淡饮食，口服补液；出现血便、高热、尿少立即就诊。", _drug("蒙脱石散", "3g", "tid", 3))),
    ("高血压健康指导", "treatment", {"treatment": "低盐低脂饮食，戒烟限酒，规律运动；家庭自测血压并记录；【周数】周后复诊。"}),
    ("上转指征", "treatment", {"treatment": "如出现【症状】，或用药【天数】天不缓解，转上级医院进一步诊治。"}),
)  # fmt: skip
OWN = (
    ("失眠", "", _plan("入睡困难【周数】周", "神清，情绪平稳，心肺腹查体未见异常。", _diagnosis("G47.000", "失眠"),
        "睡眠卫生指导，睡前不用手机，午睡少于半小时；两周后复诊。", _drug("酸枣仁胶囊", "5粒", "qn", 7))),
    ("咳嗽现病史", "present_illness", {"present_illness": "【天数】天前受凉后出现咳嗽，咳【痰的性状】痰，【有无】发热，无咯血、气促，【用药】。"}),
    ("多饮水三天复诊", "treatment", {"treatment": "多饮水，注意休息，清淡饮食，三天后复诊。"}),
)  # fmt: skip


def make(staff, residents):
    """Through the real actions, by those who may share."""
    station = staff["doctor"].institution
    _keep(DISTRICT, staff["district"], staff["district"].institution)
    _keep(CENTRE, staff["manager"], station.parent or station)
    _keep(OWN, staff["doctor"], None)


def _keep(rows, by, institution):
    release = _release()
    for name, field, content in rows:
        for line in content.get("diagnoses", []):
            line["release"] = release
        kind = TemplateKind.TEXT if field else TemplateKind.PLAN
        templates.create(
            key=uuid.uuid5(SPACE, f"{by.username} {name}"), kind=kind, field=field, name=name, content=content, by=by,
            institution=institution,
        )  # fmt: skip
