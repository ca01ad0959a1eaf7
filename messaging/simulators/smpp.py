"""A simulated SMSC: an SMPP 3.4 server, its frames smpplib's."""

from hmac import compare_digest
from time import gmtime, strftime, time

from messaging.gateways import smpp_pdus as pdus
from messaging.gateways import text as texts
from messaging.gateways.base import Garbled
from messaging.gateways.frames import digits
from messaging.gateways.smpp import HEADER_FLAG, RECEIPT, STATES
from messaging.gateways.smpp_pdus import RESPONSE
from messaging.simulators.carrier import Carrier
from messaging.simulators.manner import Manner

ZONE = 8 * 3600
NUMBERS = {word: number for number, word in STATES.items()}
NO_SUCH_ID, NO_SUCH_COMMAND, NO_SUCH_LOGIN, NOT_BOUND, WRONG_SECRET = 0x0C, 3, 0x0F, 4, 0x0E
REMEMBERED = 100_000  # messages whose state may be asked for


class SmppManner(Manner):
    SMALLEST = 16
    LARGEST = 66_000

    def read(self, frame):
        command, _status, sequence = pdus.head(frame)
        session = self.session
        if command == pdus.SUBMIT:
            self._submit(pdus.read(frame), sequence)
        elif command == pdus.DELIVER | RESPONSE:
            session.acknowledged(sequence)
        elif command in (pdus.BIND_RECEIVER, pdus.BIND_TRANSMITTER, pdus.BIND_TRANSCEIVER):
            self._bind(pdus.read(frame), command, sequence)
        elif command == pdus.ENQUIRE:
            session.reply(pdus.bare(command | RESPONSE, sequence))
        elif command == pdus.QUERY:
            self._query(pdus.read(frame), sequence)
        elif command == pdus.UNBIND:
            session.bye(pdus.bare(command | RESPONSE, sequence))
        elif command < RESPONSE:
            session.reply(pdus.bare(pdus.NACK, sequence, NO_SUCH_COMMAND))

    def _bind(self, pdu, command, sequence):
        login, given = pdus.loose(pdu.system_id), pdus.loose(pdu.password)
        secret = self.carrier.logins.get(login)
        if secret is None:
            problem = NO_SUCH_LOGIN
        else:
            problem = 0 if compare_digest(given.encode(), secret.encode()) else WRONG_SECRET
        name = pdus.READ[command | RESPONSE][1]

        def make(status, right):
            if status:
                return pdus.bare(command | RESPONSE, sequence, status)
            return pdus.build(name, sequence, system_id=self.carrier.name[:15])

        self.session.login_asked(login, problem, make)
        self.session.takes_reports = command != pdus.BIND_TRANSMITTER

    def _submit(self, pdu, sequence):
        if pdu.sm_length is None:
            raise Garbled("a submit ends before its text")
        if not self.session.login:
            self.session.reply(pdus.bare(pdus.SUBMIT | RESPONSE, sequence, NOT_BOUND))
            return
        piece = texts.decode(pdus.content(pdu), pdu.data_coding, bool(pdu.esm_class & HEADER_FLAG))
        self.session.submitted(
            sequence, digits(pdus.loose(pdu.destination_addr)), piece.text, piece.part, piece.parts,
            piece.reference, bool(pdu.registered_delivery & 3),
        )  # fmt: skip

    def _query(self, pdu, sequence):
        number = pdus.loose(pdu.message_id)
        stat = self.carrier.states.get(self.carrier.plain(number))
        if stat is None or not self.session.login:
            self.session.reply(pdus.bare(pdus.QUERY | RESPONSE, sequence, NO_SUCH_ID))
            return
        answer = pdus.build(
            "query_sm_resp", sequence, message_id=number, final_date=f"{stamp(time())}00032+",
            message_state=NUMBERS.get(stat, 5), error_code=0,
        )  # fmt: skip
        self.session.reply(answer)

    def submit_answer(self, sequence, remote_id, code):
        if code:
            return pdus.bare(pdus.SUBMIT | RESPONSE, sequence, code)
        return pdus.build("submit_sm_resp", sequence, message_id=self.carrier.answer_id(remote_id))

    def report(self, number, out):
        carrier = self.carrier
        shown = carrier.receipt_id(out.remote_id)
        words = (
            f"id:{shown} sub:001 dlvrd:{'001' if out.stat == 'DELIVRD' else '000'} "
            f"submit date:{stamp(out.taken_at)} done date:{stamp(time())} stat:{out.stat} err:000 text:"
        )
        more = {}
        if carrier.parameters and out.stat in NUMBERS:
            more = {"receipted_message_id": shown, "message_state": NUMBERS[out.stat]}
        return self._deliver(number, out, RECEIPT, 0, words.encode(), **more)

    def incoming(self, number, out):
        udh, content = texts.encode_part(out.text, out.part, out.parts, out.reference)
        return self._deliver(number, out, HEADER_FLAG if udh else 0, texts.UCS2, content)

    def _deliver(self, number, out, esm_class, coding, content, **more):
        return pdus.build(
            "deliver_sm", number, source_addr_ton=1, source_addr_npi=1, source_addr="86" + out.phone,
            dest_addr_npi=1, destination_addr=out.to, esm_class=esm_class, data_coding=coding,
            short_message=content, **more,
        )  # fmt: skip


class SmppCarrier(Carrier):
    """``parameters``: receipts say their id and state in optional parameters too. ``ids``: "decimal", "hex", or what
    vendors mix: "decimal, receipts hex", "hex, receipts decimal"."""

    protocol = "smpp"
    manner = SmppManner
    WRONG_NUMBER, THROTTLED, REFUSED, LOGIN_REFUSED = 0x0B, 0x58, 0x65, WRONG_SECRET

    def __init__(self, logins, *, parameters=True, ids="decimal", **more):
        super().__init__(logins, **more)
        self.parameters, self.ids = parameters, ids
        self.states: dict[str, str] = {}
        self._ids = int(time()) * 1000

    def new_id(self):
        self._ids += 1
        number = str(self._ids)
        self.states[number] = "ENROUTE"
        if len(self.states) > REMEMBERED:
            del self.states[next(iter(self.states))]
        return number

    def reports(self, login, phone, remote_id):
        said = super().reports(login, phone, remote_id)
        own = [out.stat for _, out in said if out.remote_id == remote_id]
        self.states[remote_id] = own[-1] if own else self.faults.stat_of(phone)
        return said

    def answer_id(self, remote_id):
        return f"{int(remote_id):x}" if remote_id and self.ids.startswith("hex") else remote_id

    def receipt_id(self, remote_id):
        return f"{int(remote_id):X}" if self.ids.endswith("hex") else remote_id

    def plain(self, number):
        """Our own form of an answer's id."""
        try:
            return str(int(number, 16 if self.ids.startswith("hex") else 10))
        except ValueError:
            return ""


def stamp(at):
    """YYMMDDhhmm in China's time."""
    return strftime("%y%m%d%H%M", gmtime(at + ZONE))
