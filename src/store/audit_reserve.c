/* SPDX-License-Identifier: Apache-2.0
 * Audit records that a full disk refuses, in memory until there is room, so that sign-ins and reads of secrets
 * go on. Only records whose change did nothing else come here: a change of rows is refused together with its
 * record. If the process dies meanwhile, the audit log misses the records of the reserve; the log has a line
 * for each (audit-waits). The reserve is bounded, and so is the share of one account (strangers count as one
 * account). In a share that is used up, a record that is like another one counts as its repetition; any other
 * is refused, and so is the call. Used on the committer's thread alone. */
#include "base/heap.h"
#include "base/log.h"
#include "store/audit.h"
#include "store/internal.h"

enum { RESERVE_MAX = 4 << 20, SHARE_MAX = RESERVE_MAX / 8, WRITTEN_AT_ONCE = 64 };

static size_t size_of(const struct audit_record *a)
{
	size_t size = sizeof(struct note);
	for (size_t n = 0; n < AUDIT_TEXT_COUNT; n++)
		size += a->texts[n].n;
	return size;
}

static bool is_text_alike(const struct audit_record *a, const struct audit_record *b, size_t n)
{
	return n == AUDIT_REQUEST || n == AUDIT_ID || str_equal(a->texts[n], b->texts[n]);
}

static bool is_alike(const struct audit_record *a, const struct audit_record *b)
{
	size_t n = 0;
	while (n < AUDIT_TEXT_COUNT && is_text_alike(a, b, n))
		n++;
	return n == AUDIT_TEXT_COUNT;
}

/* True: the record was counted with another one. Sets the bytes in use, of all and of the record's account. */
static bool count_alike(struct audit_reserve *reserve, const struct audit_record *a, size_t *ret_share)
{
	struct note *alike = NULL;
	size_t share = 0;
	for (struct note *note = reserve->first; note; note = note->next) {
		if (str_equal(note->audit.texts[AUDIT_ACCOUNT], a->texts[AUDIT_ACCOUNT]))
			share += size_of(&note->audit);
		if (!alike && is_alike(&note->audit, a))
			alike = note;
	}
	*ret_share = share;
	if (!alike || share + size_of(a) <= SHARE_MAX)
		return false;
	alike->audit.count += a->count;
	return true;
}

static void log_waiting(const struct audit_record *a)
{
	log_event(LOG_WARN, "audit-waits",
		  "request=%s action=%s account=%s user=%s subject=%s from=%s outcome=%s",
		  log_quote(a->texts[AUDIT_REQUEST]), log_quote(a->texts[AUDIT_ACTION]),
		  log_quote(a->texts[AUDIT_ACCOUNT]), log_quote(a->texts[AUDIT_USER_NAME]),
		  log_quote(a->texts[AUDIT_SUBJECT]), log_quote(a->texts[AUDIT_FROM]),
		  log_quote(a->texts[AUDIT_OUTCOME]));
}

static bool add(struct audit_reserve *reserve, const struct audit_record *a)
{
	size_t share = 0, size = size_of(a);
	if (count_alike(reserve, a, &share))
		return true;
	if (share + size > SHARE_MAX || reserve->size + size > RESERVE_MAX)
		return false;
	struct audit_record copy = *a;
	struct note *note = op_copy_audit_note(&copy);
	if (!note)
		return false;
	note->next = NULL;
	*(reserve->first ? &reserve->last->next : &reserve->first) = note;
	reserve->last = note;
	reserve->size += size;
	log_waiting(a);
	return true;
}

bool audit_reserve_keep(struct store *s, const struct change *change)
{
	bool has_any = false, has_all = true;
	for (const struct note *note = s->log.first_note; note; note = note->next) {
		if (note->only_of != change)
			continue;
		has_any = true;
		has_all = add(&s->reserve, &note->audit) && has_all;
	}
	return has_any && has_all;
}

void audit_reserve_lend(struct store *s)
{
	struct note *last = s->reserve.first;
	for (size_t n = 1; n < WRITTEN_AT_ONCE && last->next; n++)
		last = last->next;
	s->log.first_note = s->reserve.first;
	s->log.notes_end = &last->next;
	s->reserve.first = last->next;
	last->next = NULL;
}

void audit_reserve_take_back(struct store *s)
{
	*s->log.notes_end = s->reserve.first;
	if (!s->reserve.first)
		s->reserve.last =
			(struct note *) (void *) ((char *) s->log.notes_end - offsetof(struct note, next));
	s->reserve.first = s->log.first_note;
	s->log.first_note = NULL;
	s->log.notes_end = &s->log.first_note;
}

void audit_reserve_count_written(struct store *s)
{
	for (const struct note *note = s->log.first_note; note; note = note->next)
		s->reserve.size -= size_of(&note->audit);
	if (!s->reserve.first)
		log_event(LOG_WARN, "audit-written", "commit=%llu", (unsigned long long) s->sql_commit);
}

void audit_reserve_done(struct audit_reserve *reserve)
{
	size_t lost = 0;
	for (struct note *note = TAKE(reserve->first), *next = NULL; note; note = next) {
		next = note->next;
		heap_free(note);
		lost++;
	}
	if (lost)
		log_event(LOG_ERROR, "audit-lost", "records=%zu", lost);
}
