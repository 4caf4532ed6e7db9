/* SPDX-License-Identifier: Apache-2.0
 * Logged drops: for random rules and packets, a drop rule matches if and only if the first matching rule
 * denies, or no rule matches. The test has its own parser of the matches' small language. */
#include "../base/test_base.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovn/nb_drops.h"
#include "ovn_model.h"

enum { ROUNDS = 3000, RULES_MAX = 7, PACKETS = 40, DROPS_MAX = 512 };

struct packet {
	uint32_t source;
	int64_t protocol;
	int64_t port;       /* TCP's, UDP's */
	int64_t type, code; /* ICMP's */
};

/* ---- reading a match ---- */

static bool fits(struct str expression, const struct packet *p);

/* Cuts off what comes before the separator that is in no parentheses or braces; false: there is none. */
static bool cut_at(struct str *rest, const char *separator, struct str *ret_head)
{
	size_t n = strlen(separator);
	int depth = 0;
	for (size_t k = 0; k + n <= rest->n; k++) {
		depth += (rest->p[k] == '(' || rest->p[k] == '{') - (rest->p[k] == ')' || rest->p[k] == '}');
		if (depth || memcmp(rest->p + k, separator, n) != 0)
			continue;
		*ret_head = str_slice(*rest, 0, k);
		*rest = str_slice(*rest, k + n, rest->n);
		return true;
	}
	return false;
}

static int64_t value_of(struct str field, const struct packet *p)
{
	bool is_icmp = p->protocol == IPPROTO_ICMP,
	     has_ports = p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP;
	if (str_is(field, "ip.proto"))
		return p->protocol;
	if (str_is(field, "icmp4.type"))
		return is_icmp ? p->type : -1;
	if (str_is(field, "icmp4.code"))
		return is_icmp ? p->code : -1;
	bool is_its = str_is(field, p->protocol == IPPROTO_TCP ? "tcp.dst" : "udp.dst");
	return is_its && has_ports ? p->port : -1;
}

static bool is_one_of(struct str set, struct str field, const struct packet *p)
{
	struct str rest = set.p[0] == '{' ? str_slice(set, 1, set.n - 1) : set, one;
	while (str_split_next(&rest, ',', &one)) {
		struct str word = str_trim(one);
		char text[64];
		assert_true(word.n < sizeof text);
		memcpy(text, word.p, word.n);
		text[word.n] = 0;
		bool is_address = str_is(field, "ip4.src");
		if (is_address ? cidr_contains(make_cidr(text), ip_from_v4(p->source))
			       : strtoll(text, NULL, 10) == value_of(field, p))
			return true;
	}
	return false;
}

/* "80 <= tcp.dst <= 90" */
static bool is_between(struct str first, struct str rest, const struct packet *p)
{
	struct str field;
	assert_true(cut_at(&rest, " <= ", &field));
	int64_t value = value_of(field, p);
	return value >= strtoll(first.p, NULL, 10) && value <= strtoll(rest.p, NULL, 10);
}

static bool fits_word(struct str word, const struct packet *p)
{
	struct str rest = word, head;
	if (word.p[0] == '(')
		return fits(str_slice(word, 1, word.n - 1), p);
	if (cut_at(&rest, " == ", &head))
		return is_one_of(rest, head, p);
	if (cut_at(&rest, " <= ", &head))
		return is_between(head, rest, p);
	return p->protocol == (str_is(word, "icmp4") ? IPPROTO_ICMP
			       : str_is(word, "tcp") ? IPPROTO_TCP
						     : IPPROTO_UDP);
}

static bool fits(struct str expression, const struct packet *p)
{
	struct str head;
	if (cut_at(&expression, " && ", &head))
		return fits(head, p) && fits(expression, p);
	if (cut_at(&expression, " || ", &head))
		return fits(head, p) || fits(expression, p);
	return fits_word(expression, p);
}

/* ---- random rules and packets ---- */

static int64_t one_of(const int64_t *numbers, size_t count)
{
	return numbers[(size_t) rand() % count];
}
#define ONE_OF(...) one_of((const int64_t[]){__VA_ARGS__}, sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t))

static struct nb_rule draw_rule(void)
{
	static const char *const sources[] = {"0.0.0.0/0",   "10.0.0.0/8",       "10.1.0.0/16",
					      "10.1.2.3/32", "255.255.255.0/24", "0.0.0.0/32"};
	struct nb_rule r = {.source = make_cidr(sources[(size_t) rand() % 6]),
			    .protocol = ONE_OF(-1, 1, 6, 17, 47),
			    .from = -1,
			    .to = -1,
			    .denies = rand() % 2};
	if (r.protocol == IPPROTO_ICMP) {
		r.from = ONE_OF(-1, 0, 8, 255);
		r.to = r.from < 0 ? -1 : ONE_OF(-1, 0, 3, 255);
	} else if (r.protocol == IPPROTO_TCP || r.protocol == IPPROTO_UDP) {
		r.from = ONE_OF(-1, 0, 1, 22, 80, 65535);
		r.to = r.from < 0 ? -1 : ONE_OF(r.from, 65535, r.from + (65535 - r.from) / 2);
	}
	return r;
}

static struct packet draw_packet(void)
{
	return (struct packet){.source = (uint32_t) ONE_OF(0, 1, 0x0a000000, 0x0a010203, 0x0a010204,
							   0x0b000000, 0xffffff00, UINT32_MAX),
			       .protocol = ONE_OF(1, 6, 17, 47, 50, 0, 255),
			       .port = ONE_OF(0, 1, 2, 21, 22, 23, 80, 81, 32767, 32768, 65534, 65535),
			       .type = ONE_OF(0, 1, 8, 254, 255),
			       .code = ONE_OF(0, 1, 3, 4, 255)};
}

static bool is_about(const struct nb_rule *r, const struct packet *p)
{
	if (!cidr_contains(r->source, ip_from_v4(p->source)))
		return false;
	if (r->protocol < 0)
		return true;
	if (r->protocol != p->protocol)
		return false;
	if (r->protocol == IPPROTO_ICMP)
		return r->from < 0 || (r->from == p->type && (r->to < 0 || r->to == p->code));
	return r->from < 0 || (r->from <= p->port && p->port <= r->to);
}

static bool is_let_in(const struct nb_rule *rules, size_t count, const struct packet *p)
{
	for (size_t k = 0; k < count; k++)
		if (is_about(&rules[k], p))
			return !rules[k].denies;
	return false;
}

/* ---- the test ---- */

struct drops {
	struct str at[DROPS_MAX];
	size_t count;
};

static void keep(const void *arg, struct str match)
{
	struct drops *drops = *(struct drops *const *) arg;
	assert_true(drops->count < DROPS_MAX);
	drops->at[drops->count++] = match;
}

static bool is_dropped(const struct drops *drops, const struct packet *p)
{
	for (size_t k = 0; k < drops->count; k++) {
		struct str match = drops->at[k];
		if (match.n == 0 || fits(str_slice(match, 4, match.n), p)) /* behind the first " && " */
			return true;
	}
	return false;
}

static void check_round(struct ctx *c)
{
	struct drops *drops = arena_new_object(c->arena, struct drops);
	struct nb_rule rules[RULES_MAX];
	struct wish w;
	wish_init(&w, c->arena, (uuid){{1}}, (uuid){{2}}, "round");
	struct nb_dropping d = {.w = &w,
				.rules = rules,
				.count = (size_t) rand() % (RULES_MAX + 1),
				.drop = keep,
				.arg = &drops};
	for (size_t k = 0; k < d.count; k++)
		rules[k] = draw_rule();
	drops->count = 0;
	nb_drop_all(&d);
	assert_false(w.failed);
	for (size_t k = 0; k < PACKETS; k++) {
		struct packet p = draw_packet();
		if (is_dropped(drops, &p) == is_let_in(rules, d.count, &p))
			fail_msg("a packet from %08x, protocol %d, port %d, type %d, code %d", p.source,
				 (int) p.protocol, (int) p.port, (int) p.type, (int) p.code);
	}
	wish_free(&w);
}

static void test_rounds(void **state)
{
	(void) state;
	srand(1);
	for (int k = 0; k < ROUNDS; k++) {
		AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 64 << 20);
		struct ctx c;
		ctx_init(&c, a);
		check_round(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounds)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
