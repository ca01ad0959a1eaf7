// Whether a drug meets an allergy on record: the server's rule (emr.prescribing), which repeats it at signing.

const NOISE = /[\s()（）[\]【】,，、。;；]/g;

export const plain = (text) => text.normalize("NFKC").replace(NOISE, "").toLowerCase();

/** The substance that the drug meets, or "". watch: [{substance, core, members}]. */
export function allergyTo(drug, watch) {
  const name = plain(drug);
  if (!name) return "";
  const met = watch.find(({ core, members }) => {
    if (core.length > 1 && (name.includes(core) || (name.length > 1 && core.includes(name)))) return true;
    return members.some((member) => name.includes(member));
  });
  return met ? met.substance : "";
}

/** Whole days of "7", "７" or "7天", else null. */
export function daysOf(text) {
  const found = /^([0-9]{1,3})(天|日|d)?$/.exec(plain(text));
  return found ? Number(found[1]) : null;
}
