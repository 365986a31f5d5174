/**
 * Identifier tokens: one normalised form a kind, then `k<keyId>.<base32 HMAC-SHA256(key, kind NUL form)>`.
 * Two systems that normalise alike and hold the same key give the same token, so the rules are published
 * in docs/tokens.md with test vectors. A value that breaks its kind's form is an error, never a token.
 */
import { createHmac } from "node:crypto";
import { domainToASCII } from "node:url";

export const TOKEN_KINDS = [
  "iban",
  "account",
  "card",
  "email",
  "phone",
  "wallet",
  "address",
  "passport",
  "party",
  "device",
  "employer",
] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** A normalised value, or what was expected of it. Never repeats the value: it is personal data. */
export type Normalised =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "invalid"; readonly expected: string };

/** Least length of a key: as long as the hash, 32 bytes. */
export const TOKEN_KEY_BYTES_MIN = 32;
/** Longest value taken; an address line is far shorter. */
const VALUE_CHARACTERS_MAX = 512;

/** Brings a value into the one form of its kind. */
export function normaliseIdentifier(kind: TokenKind, value: string): Normalised {
  if (value.length > VALUE_CHARACTERS_MAX) return invalid(`at most ${VALUE_CHARACTERS_MAX} characters`);
  if (/\p{Cc}/u.test(value)) return invalid("no control characters");
  if (value.trim() === "") return invalid("a value");
  return NORMALISERS[kind](value.normalize("NFKC").trim());
}

/** The token of a value that `normaliseIdentifier` gave. `key` has 32 bytes or more; `keyId` names it, 1 to 9999. */
export function computeToken(key: Uint8Array, keyId: number, kind: TokenKind, normalised: string): string {
  const mac = createHmac("sha256", key).update(`${kind}\0${normalised}`, "utf8").digest();
  return `k${keyId}.${base32(mac)}`;
}

const NORMALISERS: Readonly<Record<TokenKind, (value: string) => Normalised>> = {
  iban: normaliseIban,
  account: normaliseAccount,
  card: normaliseCard,
  email: normaliseEmail,
  phone: normalisePhone,
  wallet: normaliseWallet,
  address: normaliseAddress,
  passport: normalisePassport,
  party: verbatim,
  device: verbatim,
  employer: verbatim,
};

function normaliseIban(value: string): Normalised {
  const text = value
    .toUpperCase()
    .replace(/^IBAN[\s:]*/, "")
    .replace(/[\s-]/g, "");
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text)) return invalid("an IBAN of 15 to 34 letters and digits");
  // ISO 13616 check digits: the first four characters moved to the end, letters as 10 to 35, remainder 1 by 97.
  let remainder = 0;
  for (const character of text.slice(4) + text.slice(0, 4)) {
    const digits = Number.parseInt(character, 36);
    remainder = (remainder * (digits > 9 ? 100 : 10) + digits) % 97;
  }
  return remainder === 1 ? valid(text) : invalid("an IBAN whose check digits hold");
}

function normaliseAccount(value: string): Normalised {
  const text = value.toUpperCase().replace(/[\s./-]/g, "");
  return /^[A-Z0-9]{1,64}$/.test(text) ? valid(text) : invalid("an account number of letters and digits");
}

function normaliseCard(value: string): Normalised {
  const text = value.replace(/[\s-]/g, "");
  if (!/^\d{12,19}$/.test(text)) return invalid("a card number of 12 to 19 digits");
  // ISO/IEC 7812-1 check digit: every second digit from the right doubled, digit sums, remainder 0 by 10.
  let sum = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = Number(text[text.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0 ? valid(text) : invalid("a card number whose check digit holds");
}

function normaliseEmail(value: string): Normalised {
  const text = value.replace(/^mailto:/i, "");
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at).toLowerCase();
  const domain = domainToASCII(text.slice(at + 1).replace(/\.$/, ""));
  const fits = at > 0 && !/[\s<>()",;:\\@]/.test(local) && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain);
  return fits ? valid(`${local}@${domain}`) : invalid("an e-mail address such as name@example.org");
}

function normalisePhone(value: string): Normalised {
  const text = value
    .replace(/^tel:/i, "")
    .replaceAll("(0)", "")
    .replace(/[\s().\-/]/g, "")
    .replace(/^00/, "+");
  if (/^\+[1-9]\d{6,14}$/.test(text)) return valid(text);
  return invalid("a phone number with its country code, such as +44 20 7946 0000");
}

function normaliseWallet(value: string): Normalised {
  if (!/^[A-Za-z0-9:._-]{10,128}$/.test(value))
    return invalid("a wallet address of 10 to 128 characters without spaces");
  if (/^0x[0-9a-f]{40}$/i.test(value)) return valid(value.toLowerCase());
  // BIP 173 form: a lower-case prefix, `1`, then its 32 characters; upper case is allowed for all or nothing.
  const uniform = value === value.toLowerCase() || value === value.toUpperCase();
  const bech32 = /^[a-z][a-z0-9]{0,82}1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{6,}$/i;
  return valid(uniform && bech32.test(value) ? value.toLowerCase() : value);
}

function normaliseAddress(value: string): Normalised {
  const text = value
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
  return text.length >= 3 ? valid(text) : invalid("a postal address on one line");
}

function normalisePassport(value: string): Normalised {
  const [issuer = "", number = "", ...rest] = value.toUpperCase().split(":");
  const text = number.replace(/[\s<-]/g, "");
  const fits = rest.length === 0 && /^[A-Z]{1,3}$/.test(issuer.trim()) && /^[A-Z0-9]{3,20}$/.test(text);
  return fits ? valid(`${issuer.trim()}:${text}`) : invalid("issuing state and number, such as UTO:L898902C3");
}

function verbatim(value: string): Normalised {
  return valid(value);
}

function valid(value: string): Normalised {
  return { kind: "value", value };
}

function invalid(expected: string): Normalised {
  return { kind: "invalid", expected };
}

/** RFC 4648 base32 without padding. */
function base32(bytes: Uint8Array): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let text = "";
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(buffer >> bits) & 31];
    }
  }
  return bits === 0 ? text : text + alphabet[(buffer << (5 - bits)) & 31];
}
