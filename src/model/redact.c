/* SPDX-License-Identifier: Apache-2.0
 * Detects secrets by shape. Too broad a pattern removes a harmless word, too narrow a one leaks a key, so
 * ambiguous text is removed. */
#include "model/redact.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/crypto.h"

enum { TEXT_MAX = 1024 * 1024, EXACT_MIN = 8, NEAR = 48, OUT_CAP = 8 << 20 };

struct scan {
	struct str text;
	size_t at;
	const struct redact_rules *rules;
	bool is_header; /* in a line that starts like a header */
};

static bool is_word(char c)
{
	return str_is_alphanumeric(c) || c == '_';
}
static bool is_base64(char c)
{
	return str_is_alphanumeric(c) || c == '+' || c == '/' || c == '=';
}
static bool is_base64url(char c)
{
	return str_is_alphanumeric(c) || c == '-' || c == '_';
}
/* The end of an unquoted value. */
static bool ends_value(char c)
{
	return (unsigned char) c <= ' ' || strchr("\"'`,;<>)]}", c) != NULL;
}

static bool begins_at(struct str text, size_t at, const char *word)
{
	size_t n = strlen(word);
	return at + n <= text.n && str_equal_nocase(str_slice(text, at, at + n), str_from(word));
}

static size_t run_of(struct str text, size_t at, bool (*fits)(char c))
{
	size_t n = 0;
	while (at + n < text.n && fits(text.p[at + n]))
		n++;
	return n;
}

static bool is_at_word(const struct scan *s)
{
	return s->at == 0 || !is_word(s->text.p[s->at - 1]);
}

/* ---- shapes: each gives how much of the text from s->at on is a secret; 0: it is none ---- */

/* From "-----BEGIN … PRIVATE KEY-----" to its end marker, or to the end of the text. */
static size_t find_private_key(const struct scan *s)
{
	if (!begins_at(s->text, s->at, "-----BEGIN "))
		return 0;
	size_t end = str_find_char(s->text, '\n', s->at);
	struct str line = str_slice(s->text, s->at, end);
	struct str small = str_slice(line, 0, line.n < 80 ? line.n : 80);
	if (!str_contains(small, STR("PRIVATE KEY")))
		return 0;
	const char *from = s->text.p + s->at + 11;
	size_t left = s->text.n - s->at - 11;
	const char *stop = memmem(from, left, "-----END ", 9);
	if (!stop)
		return s->text.n - s->at;
	const char *dashes = memmem(stop + 9, (size_t) (from + left - stop - 9), "-----", 5);
	return dashes ? (size_t) (dashes + 5 - s->text.p) - s->at : s->text.n - s->at;
}

/* Key ids in AWS's form, of users and sessions. */
static size_t find_key_id(const struct scan *s)
{
	static const char *const prefixes[] = {"AKIA", "ASIA", "AROA", "AIDA"};
	for (size_t k = 0; k < sizeof prefixes / sizeof prefixes[0]; k++)
		if (is_at_word(s) && s->at + 20 <= s->text.n &&
		    memcmp(s->text.p + s->at, prefixes[k], 4) == 0) {
			size_t n = run_of(s->text, s->at, str_is_alphanumeric);
			return n >= 20 && n <= 24 ? n : 0;
		}
	return 0;
}

/* Three base64url parts, the first of them a JSON object. */
static size_t find_jwt(const struct scan *s)
{
	if (!is_at_word(s) || !begins_at(s->text, s->at, "eyJ"))
		return 0;
	size_t n = run_of(s->text, s->at, is_base64url), parts = 1;
	while (s->at + n < s->text.n && s->text.p[s->at + n] == '.' && parts < 5) {
		n += 1 + run_of(s->text, s->at + n + 1, is_base64url);
		parts++;
	}
	return parts >= 3 && n >= 20 ? n : 0;
}

/* 40 base64 characters shortly after one of these words. */
static size_t find_aws_secret(const struct scan *s)
{
	static const char *const near[] = {"secret", "aws_", "access", "key"};
	if (s->at > 0 && is_base64(s->text.p[s->at - 1]))
		return 0;
	if (run_of(s->text, s->at, is_base64) != 40)
		return 0;
	size_t from = s->at > NEAR ? s->at - NEAR : 0;
	for (size_t k = from; k < s->at; k++)
		for (size_t w = 0; w < sizeof near / sizeof near[0]; w++)
			if (begins_at(s->text, k, near[w]))
				return 40;
	return 0;
}

/* Tokens with a vendor's prefix. */
static size_t find_vendor_token(const struct scan *s)
{
	static const struct {
		const char *prefix;
		size_t least;
	} tokens[] = {{"ghp_", 30},     {"gho_", 30},           {"ghs_", 30},    {"github_pat_", 40},
		      {"glpat-", 20},   {"xoxb-", 20},          {"xoxp-", 20},   {"xoxa-", 20},
		      {"sk_live_", 20}, {"rk_live_", 20},       {"SG.", 30},     {"gAAAAA", 40},
		      {"AIza", 35},     {"npm_", 30},           {"dop_v1_", 40}, {"hvs.", 20},
		      {"pypi-AgE", 40}, {"EAACEdEose0cBA", 20}, {"ya29.", 20},   {"1//0", 30}};
	if (!is_at_word(s))
		return 0;
	for (size_t k = 0; k < sizeof tokens / sizeof tokens[0]; k++) {
		struct str prefix = str_from(tokens[k].prefix);
		if (s->at + prefix.n > s->text.n || memcmp(s->text.p + s->at, prefix.p, prefix.n) != 0)
			continue;
		size_t n = prefix.n;
		while (s->at + n < s->text.n &&
		       (is_base64url(s->text.p[s->at + n]) || strchr(".=", s->text.p[s->at + n])))
			n++;
		return n >= tokens[k].least ? n : 0;
	}
	return 0;
}

/* Password hashes such as "$6$salt$hash", "$2b$12$…" or "$argon2id$…". */
static size_t find_hash(const struct scan *s)
{
	static const char *const prefixes[] = {"$1$",  "$5$",     "$6$",     "$y$",    "$2a$",  "$2b$",
					       "$2y$", "$argon2", "$pbkdf2", "{SSHA}", "$apr1$"};
	for (size_t k = 0; k < sizeof prefixes / sizeof prefixes[0]; k++)
		if (begins_at(s->text, s->at, prefixes[k])) {
			size_t n = 0;
			while (s->at + n < s->text.n && (unsigned char) s->text.p[s->at + n] > ' ' &&
			       !strchr("\"'`:;", s->text.p[s->at + n]))
				n++;
			return n >= 16 || s->text.p[s->at] == '{' ? n : 0;
		}
	return 0;
}

static size_t find_exact(const struct scan *s)
{
	for (size_t k = 0; s->rules && k < s->rules->exact.count; k++) {
		struct str secret = s->rules->exact.at[k];
		if (secret.n >= EXACT_MIN && str_starts_with(str_slice(s->text, s->at, s->text.n), secret))
			return secret.n;
	}
	return 0;
}

static const struct shape {
	const char *kind;
	size_t (*find)(const struct scan *s);
} shapes[] = {
	{"private key", find_private_key}, {"secret", find_exact},
	{"access key", find_key_id},       {"token", find_jwt},
	{"token", find_vendor_token},      {"password hash", find_hash},
	{"secret key", find_aws_secret},
};

/* ---- names that a secret's value follows ---- */

static const struct named_secret {
	const char *name, *kind;
	bool to_line_end; /* a header: removes the rest of the line */
} named_secrets[] = {
	{"proxy-authorization", "authorization", true},
	{"authorization", "authorization", true},
	{"x-auth-token", "token", true},
	{"x-subject-token", "token", true},
	{"x-amz-security-token", "token", true},
	{"x-vault-token", "token", true},
	{"x-api-key", "token", true},
	{"set-cookie", "cookie", true},
	{"cookie", "cookie", true},
	{"x-amz-signature", "signature", false},
	{"x-amz-credential", "signature", false},
	{"x-goog-signature", "signature", false},
	{"signature", "signature", false},
	{"awsaccesskeyid", "access key", false},
	{"sig", "signature", false},
	{"passphrase", "password", false},
	{"password", "password", false},
	{"passwort", "password", false},
	{"passwd", "password", false},
	{"passwd_hash", "password", false},
	{"pwd", "password", false},
	{"secret", "secret", false},
	{"token", "token", false},
	{"apikey", "token", false},
	{"api_key", "token", false},
	{"api-key", "token", false},
	{"access_key", "access key", false},
	{"secretkey", "secret", false},
	{"secret_key", "secret", false},
	{"private_key", "private key", false},
	{"accountkey", "secret", false},
	{"sharedaccesskey", "secret", false},
	{"client_secret", "secret", false},
	{"credential", "secret", false},
	{"auth_key", "token", false},
	{"encryption_key", "secret", false},
	{"luks_key", "secret", false},
};

static size_t skip(struct str t, size_t at, const char *set)
{
	while (at < t.n && t.p[at] && strchr(set, t.p[at]))
		at++;
	return at;
}

/* Skips the backslash of an escaped quote, as in JSON within JSON. */
static size_t skip_escape(struct str t, size_t at)
{
	return at + 1 < t.n && t.p[at] == '\\' && t.p[at + 1] == '"' ? at + 1 : at;
}

/* Finds the start of the value after a name, as in "name: ", "name = '", "\"name\": \"", "<name>", "--name
 * value". 0: no value. */
static size_t find_value(const struct scan *s, size_t end, bool is_option)
{
	struct str t = s->text;
	size_t at = end + run_of(t, end, is_word); /* name suffixes, as in "password_2", "secretKey" */
	at = skip_escape(t, at);
	if (at < t.n && strchr("\"'`", t.p[at]))
		at++;
	size_t bare = at;
	at = skip(t, at, " \t");
	if (at >= t.n || !strchr("=:>", t.p[at])) {
		bool is_said = at > bare && begins_at(t, at, "is ");
		return is_said ? at + 3 : is_option && at > bare ? at : 0;
	}
	return skip_escape(t, skip(t, skip(t, at, "=:>"), " \t"));
}

static size_t end_of_quoted(struct str t, size_t from)
{
	size_t at = from + 1;
	for (; at < t.n && t.p[at] != t.p[from] && t.p[at] != '\n'; at++)
		if (t.p[at] == '\\' && at + 1 < t.n)
			at++;
	return at;
}

/* The end of a value, possibly in quotes. */
static size_t end_of_value(const struct scan *s, size_t from, bool to_line_end)
{
	struct str t = s->text;
	size_t at = from;
	bool is_quoted = at < t.n && strchr("\"'`", t.p[at]);
	if (is_quoted)
		return end_of_quoted(t, from);
	if (to_line_end)
		while (at < t.n && !strchr("\r\n\"'", t.p[at]))
			at++;
	else
		/* a URL parameter's end */
		while (at < t.n && !ends_value(t.p[at]) && !(t.p[at] == '&' && at > from))
			at++;
	return at;
}

static bool is_said_away(struct str value)
{
	while (value.n && strchr(".,;:!?", value.p[value.n - 1]))
		value.n--;
	if (value.n == 0)
		return true;
	static const char *const words[] = {"",         "null", "none", "true", "false", "yes",      "no",
					    "[removed", "***",  "****", "xxxx", "*****", "required", "not"};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_equal_nocase(value, str_from(words[k])))
			return true;
	return str_starts_with(value, STR("[removed:"));
}

/* In an option such as "--os-password", a value may follow without a separator. */
static bool is_in_option(const struct scan *s)
{
	size_t at = s->at;
	while (at > 0 && (is_word(s->text.p[at - 1]) || s->text.p[at - 1] == '-'))
		at--;
	return begins_at(s->text, at, "--");
}

/* Finds the value belonging to a secret's name at s->at; the name itself is kept. */
static size_t find_named(const struct scan *s, size_t *ret_from, const char **ret_kind)
{
	for (size_t k = 0; k < sizeof named_secrets / sizeof named_secrets[0]; k++) {
		const struct named_secret *n = &named_secrets[k];
		if (!begins_at(s->text, s->at, n->name))
			continue;
		size_t behind = s->at + strlen(n->name);
		bool goes_on = behind < s->text.n && is_word(s->text.p[behind]);
		if (strlen(n->name) <= 3 && (!is_at_word(s) || goes_on))
			continue;
		size_t from = find_value(s, behind, is_in_option(s));
		size_t end = from ? end_of_value(s, from, n->to_line_end) : 0;
		if (from && end < s->text.n && strchr("\"'`", s->text.p[from]))
			from++;
		if (!from || end <= from || is_said_away(str_slice(s->text, from, end)))
			continue;
		*ret_from = from;
		*ret_kind = n->kind;
		return end;
	}
	return 0;
}

/* Finds the password of "scheme://user:password@host". */
static size_t find_url_password(const struct scan *s, size_t *ret_from)
{
	if (!begins_at(s->text, s->at, "://"))
		return 0;
	size_t colon = 0, at = s->at + 3;
	for (; at < s->text.n && !ends_value(s->text.p[at]) && !strchr("/?#@", s->text.p[at]); at++)
		if (s->text.p[at] == ':' && !colon)
			colon = at;
	if (!colon || at >= s->text.n || s->text.p[at] != '@' || at == colon + 1)
		return 0;
	*ret_from = colon + 1;
	return at;
}

/* ---- the text ---- */

struct writing {
	struct buf out;
	size_t count;
};

static void remove_as(struct writing *w, const char *kind)
{
	buf_print(&w->out, "[removed: %s]", kind);
	w->count++;
}

static const struct redact_name *find_name(const struct scan *s)
{
	for (size_t k = 0; s->rules && k < s->rules->name_count; k++) {
		struct str name = s->rules->names[k].name;
		size_t end = s->at + name.n;
		bool is_whole =
			name.n &&
			(s->at == 0 || (!is_word(s->text.p[s->at - 1]) && s->text.p[s->at - 1] != '.')) &&
			(end >= s->text.n || !is_word(s->text.p[end]));
		if (is_whole && str_starts_with(str_slice(s->text, s->at, s->text.n), name))
			return &s->rules->names[k];
	}
	return NULL;
}

/* Copies or removes the text at s->at, and returns its length. */
static size_t take_next(struct scan *s, struct writing *w)
{
	size_t from = 0, n = 0;
	const char *kind = NULL;
	for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++)
		if ((n = shapes[k].find(s)) > 0) {
			remove_as(w, shapes[k].kind);
			return s->at + n;
		}
	size_t end = find_named(s, &from, &kind);
	if (!end && (end = find_url_password(s, &from)) > 0)
		kind = "password";
	if (end) {
		buf_add_str(&w->out, str_slice(s->text, s->at, from));
		remove_as(w, kind);
		return end;
	}
	const struct redact_name *name = find_name(s);
	if (name) {
		buf_add_str(&w->out, name->stands_for);
		return s->at + name->name.n;
	}
	buf_add_char(&w->out, s->text.p[s->at]);
	return s->at + 1;
}

RESULT redact_text(struct arena *a, struct str text, const struct redact_rules *rules, struct str *ret_text,
		   size_t *ret_count)
{
	struct scan s = {.text = text, .rules = rules};
	struct writing w = {.count = 0};
	buf_init(&w.out, OUT_CAP);
	while (s.at < text.n)
		s.at = take_next(&s, &w);
	struct result result = buf_finish(&w.out);
	if (result_is_ok(result)) {
		*ret_text = str_copy(a, buf_str(&w.out));
		*ret_count = w.count;
		if (w.out.size && !ret_text->p)
			result = FAIL(NO_MEMORY);
	}
	buf_done(&w.out);
	return result;
}

bool redact_looks_into(struct str media_type, int64_t size)
{
	return str_starts_with(media_type, STR("text/")) && size <= TEXT_MAX;
}

struct str redact_pseudonym(struct arena *a, const uint8_t *key, size_t key_size, const char *word,
			    struct str name)
{
	uint8_t digest[SHA256_SIZE];
	crypto_hmac_sha256(key, key_size, name, digest);
	return str_print(a, "%s-%" STR_FMT, word, STR_ARG(str_encode_hex(a, digest, 4)));
}
