/* SPDX-License-Identifier: Apache-2.0
 * Evaluates gpgv's status output rather than its exit code: doc/DETAILS of GnuPG defines the keywords. Each
 * good signature is a GOODSIG followed by a VALIDSIG, whose last field is the primary key's fingerprint. A
 * revoked or expired key gives another keyword instead of GOODSIG. */
#include "drivers/signature.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"

enum { GPGV_TIMEOUT_S = 30, GPGV_MEMORY_SIZE = 512 << 20 };

/* A temporary directory, deleted with its content. */
struct place {
	struct ctx *c;
	char path[32];
};
static const char *const names[] = {"key", "text", "signature", "out"};

static const char *file_in(const struct place *p, const char *name)
{
	struct str path = str_print(p->c->arena, "%s/%s", p->path, name);
	return path.p ? path.p : "";
}

static void place_done(struct place *p)
{
	if (!p->path[0])
		return;
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		(void) unlink(file_in(p, names[k]));
	(void) rmdir(p->path);
}

/* ---- the key ---- */

/* Decodes an armored key, because gpgv needs binary keyrings. RFC 4880, 6.2: headers, an empty line, base64,
 * a checksum after "=". */
static RESULT dearmor(struct ctx *c, struct str key, struct str *ret_bytes)
{
	struct str line = STR_NONE, rest = key;
	*ret_bytes = key;
	if (!str_starts_with(key, STR("-----BEGIN ")))
		return OK;
	while (str_split_next(&rest, '\n', &line) && !str_is_empty(str_trim(line)))
		;
	struct str body = rest;
	while (str_split_next(&rest, '\n', &line))
		if (str_starts_with(line, STR("=")) || str_starts_with(line, STR("-----END "))) {
			body = str_slice(body, 0, (size_t) (line.p - body.p));
			break;
		}
	if (!result_is_ok(str_decode_base64(c->arena, body, ret_bytes)) || str_is_empty(*ret_bytes))
		return ctx_fail(c, ERR_INVALID, "the key is no OpenPGP key");
	return OK;
}

static RESULT lay_out(struct ctx *c, const struct signature_check *check, const struct place *p)
{
	struct str key = STR_NONE;
	TRY(dearmor(c, check->key, &key));
	TRY(file_write_synced(c, file_in(p, "key"), key, 0600));
	TRY(file_write_synced(c, file_in(p, "text"), check->text, 0600));
	return check->signature.n ? file_write_synced(c, file_in(p, "signature"), check->signature, 0600)
				  : OK;
}

/* ---- evaluating the status ---- */

enum said {
	SAID_GOOD,
	SAID_BAD,
	SAID_REVOKED,
	SAID_EXPIRED,
	SAID_STRANGER,
	SAID_OTHER_KEY,
	SAID_NOTHING,
	SAID_COUNT
};
static const char *const said_words[SAID_COUNT] = {
	[SAID_BAD] = "the signature is not of these bytes",
	[SAID_REVOKED] = "the key that signed is revoked",
	[SAID_EXPIRED] = "the signature, or the key that made it, has expired",
	[SAID_STRANGER] = "another key made the signature",
	[SAID_OTHER_KEY] = "a key with another fingerprint made the signature",
	[SAID_NOTHING] = "there is no signature",
};

/* The last field of the line. */
static struct str last_word(struct str line)
{
	struct str word = STR_NONE, last = STR("");
	while (str_split_next(&line, ' ', &word))
		last = word;
	return last;
}

/* State while reading gpgv's lines. */
struct verdict {
	const char *fingerprint;
	enum said said, worst; /* result of the best signature so far, and of the worst */
	bool is_good;          /* the latest keyword about a signature was GOODSIG */
};

/* Maps a keyword used instead of GOODSIG. SAID_GOOD: none of these. */
static enum said said_instead(struct str word)
{
	static const struct {
		const char *word;
		enum said said;
	} words[] = {
		{"BADSIG", SAID_BAD},     {"REVKEYSIG", SAID_REVOKED}, {"EXPKEYSIG", SAID_EXPIRED},
		{"EXPSIG", SAID_EXPIRED}, {"ERRSIG", SAID_STRANGER},
	};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_is(word, words[k].word))
			return words[k].said;
	return SAID_GOOD;
}

static void hear_word(struct verdict *v, struct str word, struct str line)
{
	enum said instead = said_instead(word);
	if (instead != SAID_GOOD) {
		v->worst = v->worst == SAID_BAD ? SAID_BAD : instead;
		v->said = v->said == SAID_GOOD ? SAID_GOOD : instead;
	} else if (v->is_good && str_is(word, "VALIDSIG") && v->said != SAID_GOOD) {
		bool fits = !v->fingerprint || str_is(last_word(line), v->fingerprint);
		v->said = fits ? SAID_GOOD : SAID_OTHER_KEY;
	}
	bool is_end = instead != SAID_GOOD || str_is(word, "VALIDSIG") || str_is(word, "NEWSIG");
	v->is_good = str_is(word, "GOODSIG") || (v->is_good && !is_end);
}

/* Evaluates all signatures. One that doesn't match the bytes fails the check in any case. For a detached
 * signature, one good one is enough, since others may sign as well. In a clear-signed text all must be good,
 * because each may cover different text. */
static enum said weigh(struct str status, const char *fingerprint, bool needs_all)
{
	struct verdict v = {.fingerprint = fingerprint, .said = SAID_NOTHING, .worst = SAID_GOOD};
	struct str line = STR_NONE, mark = STR_NONE, word = STR_NONE;
	while (str_split_next(&status, '\n', &line)) {
		struct str rest = line;
		if (str_split_next(&rest, ' ', &mark) && str_is(mark, "[GNUPG:]") &&
		    str_split_next(&rest, ' ', &word))
			hear_word(&v, word, line);
	}
	return v.worst == SAID_BAD || (needs_all && v.worst != SAID_GOOD) ? v.worst : v.said;
}

static RESULT run(struct ctx *c, const struct signature_check *check, const struct place *p,
		  struct str *ret_text)
{
	const char *detached[] = {"gpgv",
				  "--homedir",
				  p->path,
				  "--keyring",
				  file_in(p, "key"),
				  "--weak-digest",
				  "SHA1",
				  "--status-fd",
				  "1",
				  file_in(p, "signature"),
				  file_in(p, "text"),
				  NULL};
	const char *inside[] = {
		"gpgv", "--homedir",   p->path, "--keyring", file_in(p, "key"), "--weak-digest",
		"SHA1", "--status-fd", "1",     "--output",  file_in(p, "out"), file_in(p, "text"),
		NULL};
	struct child child = {.argv = check->signature.n ? detached : inside,
			      .timeout_us = GPGV_TIMEOUT_S * SECOND,
			      .memory_limit_size = GPGV_MEMORY_SIZE,
			      .cpu_limit_s = GPGV_TIMEOUT_S};
	struct child_end end = {0};
	struct result result = child_run(c, &child, &end);
	if (result.code == ERR_NOT_FOUND) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_UNSUPPORTED,
				"signatures are checked by gpgv, which is not there: apt install gpgv");
	}
	TRY(result);
	enum said said = weigh(end.out, check->fingerprint, str_is_empty(check->signature));
	if (said != SAID_GOOD)
		return ctx_fail(c, ERR_INVALID, "%s", said_words[said]);
	*ret_text = check->text;
	return check->signature.n ? OK : file_read(c, file_in(p, "out"), SIGNATURE_TEXT_MAX, ret_text);
}

RESULT signature_verify(struct ctx *c, const struct signature_check *check, struct str *ret_text)
{
	struct place place = {.c = c, .path = "/tmp/dari-gpgv-XXXXXX"};
	if (!mkdtemp(place.path))
		return ctx_fail(c, ERR_IO, "cannot make a directory in /tmp: %s", strerrordesc_np(errno));
	struct result result = lay_out(c, check, &place);
	if (result_is_ok(result))
		result = run(c, check, &place, ret_text);
	place_done(&place);
	return result;
}
