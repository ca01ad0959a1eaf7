"""A dozen and two visits as community doctors write them; codes from the starter list."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    chief_complaint: str
    present_illness: str
    past_history: str
    signs: str
    examinations: str
    treatment: str
    code: str
    name: str
    drug: str
    dose: str
    route: str
    frequency: str
    days: int
    kind: str = "first"


STORIES = (
    Story("发热、咽痛{n}天", "{n}天前受凉后出现发热，最高38.6℃，伴咽痛、流涕，无咳痰，无胸闷气促，自服感冒药效果不佳。",
          "既往体健，否认药物过敏史。", "咽部充血，扁桃体不大，双肺呼吸音清，未闻及干湿啰音。", "血常规：白细胞9.8×10⁹/L。",
          "多饮水，注意休息；体温超过38.5℃口服退热药；三日不退热复诊。", "J06.900", "急性上呼吸道感染",
          "布洛芬缓释胶囊", "0.3g", "po", "prn", 3),
    Story("血压升高复诊，头晕减轻", "规律服药{n}周，家中自测血压130-142/80-88mmHg，头晕较前减轻，无胸闷胸痛，无肢体麻木。",
          "高血压病史10年，否认糖尿病、冠心病史。", "心率76次/分，律齐，各瓣膜区未闻及杂音，双下肢无水肿。", "心电图：窦性心律，大致正常。",
          "低盐饮食，每日食盐少于5克；坚持服药，每周测血压3次；一个月后复诊。", "I10.x00", "高血压",
          "苯磺酸氨氯地平片", "5mg", "po", "qd", 28, "return"),
    Story("口渴、多饮复诊，空腹血糖下降", "饮食控制并服药{n}周，空腹血糖6.8-7.6mmol/L，无低血糖反应，口渴、多饮较前好转。",
          "2型糖尿病5年。", "足背动脉搏动可，双足皮肤完好，针刺觉正常。", "糖化血红蛋白7.1%。",
          "继续饮食控制，每日步行30分钟；监测空腹及餐后血糖；三个月复查糖化血红蛋白。", "E11.900", "2型糖尿病",
          "盐酸二甲双胍片", "0.5g", "po", "bid", 28, "return"),
    Story("咳嗽、咳痰{n}天", "{n}天前感冒后出现咳嗽，咳白色黏痰，夜间明显，无发热，无咯血，无气促。", "吸烟史20年，已戒烟。",
          "双肺呼吸音粗，可闻及散在干啰音。", "胸片：双肺纹理增粗。", "化痰止咳，避免刺激性气味；加重或发热随诊。",
          "J20.900", "急性支气管炎", "盐酸氨溴索片", "30mg", "po", "tid", 5),
    Story("上腹部胀痛{n}周", "{n}周来餐后上腹胀痛，伴嗳气、反酸，无黑便，无消瘦。", "慢性胃炎病史3年。", "腹软，剑突下轻压痛，无反跳痛，肝脾未触及。",
          "暂无。", "规律进餐，忌辛辣、浓茶；两周不缓解建议胃镜检查。", "K29.500", "慢性胃炎", "奥美拉唑肠溶胶囊", "20mg", "po", "qd", 7),
    Story("鼻痒、喷嚏{n}天", "{n}天来晨起鼻痒、阵发喷嚏、流清涕，春季多发，无发热。", "过敏性鼻炎病史。", "鼻黏膜苍白水肿，鼻腔见清水样分泌物。", "暂无。",
          "避免接触花粉，外出戴口罩；生理盐水冲洗鼻腔。", "J30.400", "过敏性鼻炎", "氯雷他定片", "10mg", "po", "qd", 7),
    Story("腰痛{n}天", "{n}天前搬重物后腰痛，弯腰时加重，休息缓解，无下肢放射痛，大小便正常。", "否认腰椎间盘突出史。", "腰肌紧张，局部压痛，直腿抬高试验阴性。",
          "暂无。", "卧床休息，避免负重；局部热敷；不缓解行腰椎检查。", "M62.600", "腰肌劳损", "双氯芬酸二乙胺乳胶剂", "适量", "top", "tid", 7),
    Story("皮肤瘙痒、红疹{n}天", "{n}天来双上肢起红色丘疹，瘙痒明显，抓后有渗出，无发热。", "既往有类似发作。", "双上肢散在红色丘疹、丘疱疹，边界不清。", "暂无。",
          "避免搔抓及热水烫洗，使用保湿剂。", "L30.900", "湿疹", "糠酸莫米松乳膏", "适量", "top", "qd", 7),
    Story("活动后胸闷复诊，发作减少", "规律服药{n}周，活动后胸闷发作次数减少，每次1-2分钟，休息缓解，无夜间憋醒。", "冠心病史6年，高血压病史12年。",
          "心率70次/分，律齐，双肺底未闻及湿啰音，双下肢无水肿。", "心电图：ST-T改变，同前。", "避免劳累和饱餐，随身备硝酸甘油；胸痛持续15分钟不缓解立即就诊。",
          "I25.101", "冠状动脉粥样硬化性心脏病", "单硝酸异山梨酯缓释片", "40mg", "po", "qd", 28, "return"),
    Story("尿频、尿痛{n}天", "{n}天来尿频、尿急、尿痛，无腰痛，无发热，无肉眼血尿。", "否认糖尿病史。", "双肾区无叩击痛，耻骨上轻压痛。", "尿常规：白细胞（++）。",
          "多饮水，勤排尿；复查尿常规。", "N39.000", "泌尿道感染", "左氧氟沙星片", "0.5g", "po", "qd", 3),
    Story("腹泻{n}天", "{n}天来腹泻，每日4-6次，为稀水样便，伴脐周隐痛，无脓血，进食生冷后出现。", "既往体健。", "腹软，脐周轻压痛，肠鸣音活跃，皮肤弹性可。",
          "便常规：白细胞0-2/HP。", "清淡饮食，口服补液；出现血便、高热、尿少立即就诊。", "K59.100", "功能性腹泻", "蒙脱石散", "3g", "po", "tid", 3),
    Story("入睡困难{n}周", "{n}周来入睡困难，夜间易醒，醒后难再入睡，白天乏力，情绪尚可。", "否认精神疾病史。", "神清，情绪平稳，心肺腹查体未见异常。", "暂无。",
          "睡眠卫生指导，睡前不用手机，午睡少于半小时；两周后复诊。", "G47.000", "失眠", "酸枣仁胶囊", "5粒", "po", "qn", 7),
    Story("体检发现血脂升高", "体检发现总胆固醇6.4mmol/L、低密度脂蛋白4.1mmol/L，无胸闷头晕。已控制饮食{n}周。", "否认冠心病史。", "体重指数26.8，无黄色瘤，心肺查体未见异常。",
          "血脂：总胆固醇6.4mmol/L，低密度脂蛋白4.1mmol/L。", "低脂饮食，增加运动；服药4周后复查血脂、肝功能、肌酸激酶。", "E78.500", "高脂血症",
          "阿托伐他汀钙片", "20mg", "po", "qn", 28),
    Story("咳喘复诊，气促减轻", "吸入治疗{n}周，咳嗽、气促较前减轻，可平地步行500米，痰少色白。", "慢性阻塞性肺病8年，吸烟史40年，已戒烟。",
          "桶状胸，双肺呼吸音低，未闻及哮鸣音。", "肺功能：FEV1/FVC 62%。", "坚持吸入药物，每次用后漱口；接种流感疫苗；家庭氧疗指导。", "J44.900", "慢性阻塞性肺疾病", "噻托溴铵吸入粉雾剂", "18μg", "inh", "qd", 28, "return"),
)  # fmt: skip


def vitals(rng):
    """As a nurse types them: numbers in strings."""
    return {
        "temperature": f"{rng.uniform(36.1, 37.4):.1f}",
        "pulse": str(rng.randrange(62, 92)),
        "respiration": str(rng.randrange(15, 21)),
        "systolic": str(rng.randrange(108, 158)),
        "diastolic": str(rng.randrange(64, 94)),
    }


def note_fields(story, rng, release):
    """The draft fields of a note that tells this story."""
    days = rng.randrange(2, 8)
    return {
        "visit_kind": story.kind,
        "chief_complaint": story.chief_complaint.format(n=days),
        "present_illness": story.present_illness.format(n=days),
        "past_history": story.past_history,
        "signs": story.signs,
        "examinations": story.examinations,
        "treatment": story.treatment,
        "vitals": vitals(rng),
        "diagnoses": [diagnosis(story, release)],
        "medications": [medication(story)],
    }


def diagnosis(story, release):
    return {
        "system": "icd10", "release": release, "code": story.code, "name": story.name, "certainty": "confirmed",
        "primary": True,
    }  # fmt: skip


def medication(story):
    return {
        "drug": story.drug, "dose": story.dose, "route": story.route, "frequency": story.frequency,
        "days": str(story.days), "reason": "病情稳定，长期用药" if story.days > 7 else "",
    }  # fmt: skip
