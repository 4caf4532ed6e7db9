/* SPDX-License-Identifier: Apache-2.0
 * Counts repeated refusals of unauthenticated callers: anyone who reaches a port can cause them without
 * limit, and must not fill the disk. A few distinct ones are remembered for a minute each. Used on the
 * committer's thread alone. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/ip.h"
#include "store/audit.h"
#include "store/internal.h"

#define FLOOD_US (AUDIT_FLOOD_S * SECOND)
enum { EXAMPLES_MAX = 4 };

/* The last slot collects everything that gets no slot of its own. */
struct flood {
	struct note *note; /* the record as first written; NULL: free slot */
	uint8_t key[SHA256_SIZE];
	int64_t since_us;
	int64_t more; /* equal refusals since then */
	/* subjects of the first few of these, where the subject makes no difference */
	char examples[AUDIT_TEXT_MAX];
	size_t examples_size, example_count;
};

struct audit_floods {
	struct flood at[AUDIT_FLOODS_MAX + 1];
};

struct audit_floods *audit_floods_new(void)
{
	return heap_new(struct audit_floods);
}

void audit_floods_free(struct audit_floods *floods)
{
	for (size_t k = 0; floods && k <= AUDIT_FLOODS_MAX; k++)
		heap_free(floods->at[k].note);
	heap_free(floods);
}

/* Text of the network that an outsider has all addresses of: the /64 of an IPv6 address, else `from` itself. */
static struct str find_network(struct str from, char text[static CIDR_TEXT_SIZE])
{
	struct cidr network = {.bits = 64};
	if (!result_is_ok(ip_parse(from, &network.base)) || network.base.family != IP_V6)
		return from;
	return str_from(cidr_write(cidr_canonical(network), text));
}

/* A record that names no row of the region: the names in it are whatever the outsider has thought of. */
static bool is_made_up(const struct audit_record *a)
{
	return !a->texts[AUDIT_ID].n;
}

/* ---- counts ---- */

static RESULT end_flood(struct op *op, struct flood *f)
{
	struct audit_record counted = f->note->audit;
	char network[CIDR_TEXT_SIZE];
	counted.count = f->more;
	counted.texts[AUDIT_FROM] = find_network(counted.texts[AUDIT_FROM], network);
	if (f->example_count)
		counted.texts[AUDIT_SUBJECT] = (struct str){f->examples, f->examples_size};
	if (f->more)
		TRY(op_audit(op, &counted));
	heap_free(f->note);
	*f = (struct flood){0};
	return OK;
}

RESULT op_sweep_audit(struct op *op, void *all)
{
	struct audit_floods *floods = op->store->floods;
	for (size_t k = 0; k <= AUDIT_FLOODS_MAX; k++) {
		struct flood *f = &floods->at[k];
		int64_t age_us = op->now_us - f->since_us;
		if (f->note && (*(const bool *) all || age_us < 0 || age_us >= FLOOD_US))
			TRY(end_flood(op, f));
	}
	return OK;
}

/* ---- alike ---- */

/* Outsiders choose names, and addresses within their network: neither makes a record of its own, or they would
 * decide how much is written, and crowd out the guesses at keys and users that exist. */
static bool make_key(const struct audit_record *a, uint8_t ret_key[static SHA256_SIZE])
{
	static const uint8_t none[SHA256_SIZE];
	struct audit_record alike = *a;
	char network[CIDR_TEXT_SIZE];
	alike.seq = alike.at_us = alike.count = 0;
	alike.texts[AUDIT_REQUEST] = STR_NONE;
	alike.texts[AUDIT_FROM] = find_network(a->texts[AUDIT_FROM], network);
	if (is_made_up(a))
		alike.texts[AUDIT_SUBJECT] = alike.texts[AUDIT_CREDENTIAL] = alike.texts[AUDIT_AS] = STR_NONE;
	return audit_digest(&alike, none, ret_key);
}

/* The key's own slot, else a free one, else the last. */
static struct flood *find_place(struct audit_floods *floods, const uint8_t key[static SHA256_SIZE])
{
	struct flood *place = &floods->at[AUDIT_FLOODS_MAX];
	for (size_t k = AUDIT_FLOODS_MAX; k-- > 0;) {
		struct flood *f = &floods->at[k];
		if (f->note && memcmp(f->key, key, SHA256_SIZE) == 0)
			return f;
		if (!f->note)
			place = f;
	}
	return place;
}

static struct audit_record of_many(const struct audit_record *a)
{
	static const enum audit_text apart[] = {AUDIT_FROM, AUDIT_SUBJECT, AUDIT_CREDENTIAL, AUDIT_AS};
	struct audit_record many = *a;
	for (size_t k = 0; k < sizeof apart / sizeof apart[0]; k++)
		many.texts[apart[k]] = STR("(many)");
	return many;
}

/* Counts one more, and notes its subject if that is new and among the first few. */
static void count(struct flood *f, const struct audit_record *a)
{
	struct str subject = str_cut(a->texts[AUDIT_SUBJECT], AUDIT_TEXT_MAX / EXAMPLES_MAX - 1);
	struct str examples = {f->examples, f->examples_size};
	f->more++;
	if (!is_made_up(a) || !subject.n || f->example_count == EXAMPLES_MAX ||
	    str_contains(examples, subject))
		return;
	if (f->examples_size)
		f->examples[f->examples_size++] = ' ';
	memcpy(f->examples + f->examples_size, subject.p, subject.n);
	f->examples_size += subject.n;
	f->example_count++;
}

RESULT op_audit_flood(struct op *op, const struct audit_record *a)
{
	struct audit_floods *floods = op->store->floods;
	struct audit_record first = *a;
	uint8_t key[SHA256_SIZE];
	bool all = false;
	TRY(op_sweep_audit(op, &all));
	if (!make_key(a, key))
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for an audit record");
	struct flood *f = find_place(floods, key);
	if (f->note) {
		count(f, a);
		return OK;
	}
	if (f == &floods->at[AUDIT_FLOODS_MAX])
		first = of_many(a);
	TRY(op_audit(op, &first));
	struct note *note = op_new_audit_note(op, &first);
	if (!note)
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for an audit record");
	*f = (struct flood){.note = note, .since_us = op->now_us};
	memcpy(f->key, key, sizeof f->key);
	return OK;
}
