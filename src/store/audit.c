/* SPDX-License-Identifier: Apache-2.0
 * Builds audit records and their digest chain. sqlite_audit.c stores them. */
#include "store/audit.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/reads.h"
#include "store/internal.h"

enum { DIGEST_TEXT_CAP = (AUDIT_TEXT_MAX + 32) * AUDIT_TEXT_COUNT + 256 };

const char *const audit_names[AUDIT_TEXT_COUNT] = {
#define AUDIT_TEXT(name, column) [AUDIT_##name] = (column),
#include "store/audit.def"
#undef AUDIT_TEXT
};

/* Hashes a canonical text of the record. docs/operations.md documents it for independent verification. */
bool audit_digest(const struct audit_record *a, const uint8_t before[static SHA256_SIZE],
		  uint8_t ret_digest[static SHA256_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	struct buf b;
	buf_init(&b, DIGEST_TEXT_CAP);
	buf_print(&b, "dari audit 1\n");
	for (size_t n = 0; n < SHA256_SIZE; n++) {
		buf_add_char(&b, digits[before[n] >> 4]);
		buf_add_char(&b, digits[before[n] & 15]);
	}
	buf_print(&b, "\n%" PRId64 " %" PRId64 " %" PRId64 "\n", a->seq, a->at_us, a->count);
	for (size_t n = 0; n < AUDIT_TEXT_COUNT; n++) {
		buf_print(&b, "%zu:", a->texts[n].n);
		buf_add_str(&b, a->texts[n]);
		buf_add_char(&b, '\n');
	}
	bool is_whole = result_is_ok(buf_finish(&b));
	if (is_whole)
		crypto_sha256(buf_str(&b), ret_digest);
	buf_done(&b);
	return is_whole;
}

bool audit_follows(struct audit_chain *chain, const struct audit_record *a)
{
	uint8_t digest[SHA256_SIZE];
	if (a->seq != chain->seq + 1 || !audit_digest(a, chain->digest, digest) ||
	    memcmp(digest, a->digest, sizeof digest) != 0)
		return false;
	chain->seq = a->seq;
	memcpy(chain->digest, digest, sizeof digest);
	return true;
}

bool op_find_touched(const struct op *op, enum kind kind, uuid *ret_id)
{
	for (size_t n = op->log->mark; n < op->log->count; n++) {
		const struct entry *e = &op->log->entries[n];
		if (e->kind != kind)
			continue;
		*ret_id = e->after ? e->after->id : e->before->id;
		return true;
	}
	return false;
}

struct note *op_copy_audit_note(const struct audit_record *a)
{
	struct audit_record made = *a;
	struct str *texts[AUDIT_TEXT_COUNT];
	for (size_t n = 0; n < AUDIT_TEXT_COUNT; n++) {
		made.texts[n] = str_cut(a->texts[n], AUDIT_TEXT_MAX);
		texts[n] = &made.texts[n];
	}
	struct note *note = op_new_note(texts, AUDIT_TEXT_COUNT);
	if (!note)
		return NULL;
	note->type = NOTE_AUDIT;
	note->audit = made;
	return note;
}

struct note *op_new_audit_note(struct op *op, const struct audit_record *a)
{
	struct audit_record made = *a;
	made.at_us = op->now_us;
	made.count = a->count ? a->count : 1;
	return op_copy_audit_note(&made);
}

RESULT op_audit(struct op *op, const struct audit_record *a)
{
	struct note *note = op_new_audit_note(op, a);
	if (!note)
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for an audit record");
	op_add_note(op, note);
	return OK;
}

RESULT store_read_audit(struct store *s, struct ctx *c, int64_t after, size_t max, audit_each each, void *arg)
{
	reads_note_outside();
	return s->config.sql->read_audit(s->config.sql, c, after, max, each, arg);
}

RESULT store_read_audit_back(struct store *s, struct ctx *c, int64_t before, size_t max, audit_each each,
			     void *arg)
{
	reads_note_outside();
	return s->config.sql->read_audit_back(s->config.sql, c, before, max, each, arg);
}
