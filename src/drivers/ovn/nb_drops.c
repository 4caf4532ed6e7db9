/* SPDX-License-Identifier: Apache-2.0
 * Computes what rules do not admit, as drops. An allow in OVN's single stage towards a port would bypass
 * security groups, whose ACLs are in the same stage; so the complement is written as drops, above the groups.
 *
 * Ports of a protocol, or ICMP's type and code combined, form a line of numbers. The line is cut where a rule
 * begins or ends; for each span the sources that no rule admits are computed, and spans with equal sources
 * become one drop. OVN matches protocol and ICMP type by value only, so ranges of these are listed. */
#include "drivers/ovn/nb_drops.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { LINE_LAST = 65535, ICMP_CODES = 256, PROTOCOLS = 256, TEXT_CAP_SIZE = 1024 * 1024 };

void nb_add_span(struct wish *w, struct nb_spans *spans, uint32_t first, uint32_t last)
{
	if (!VEC_PUSH(w->arena, &spans->at, ((struct nb_span){first, last})))
		w->failed = true;
}

static int compare_spans(const void *a, const void *b)
{
	const struct nb_span *x = a, *y = b;
	return x->first != y->first ? (x->first < y->first ? -1 : 1) : 0;
}

void nb_find_rest(struct wish *w, struct nb_spans *spans, struct nb_spans *rest)
{
	uint64_t next = 0;
	rest->at.count = 0;
	if (spans->at.count)
		qsort(spans->at.at, spans->at.count, sizeof *spans->at.at, compare_spans);
	for (size_t k = 0; k < spans->at.count; k++) {
		struct nb_span s = spans->at.at[k];
		if (s.first > next)
			nb_add_span(w, rest, (uint32_t) next, s.first - 1);
		if ((uint64_t) s.last + 1 > next)
			next = (uint64_t) s.last + 1;
	}
	if (next <= UINT32_MAX)
		nb_add_span(w, rest, (uint32_t) next, UINT32_MAX);
}

static struct nb_span span_of_block(struct cidr block)
{
	block = cidr_canonical(block);
	return (struct nb_span){ip_to_v4(block.base), ip_to_v4(cidr_last(block))};
}

/* Writes a span of addresses as CIDR blocks, each the largest that starts there. */
static void write_blocks(struct buf *b, struct nb_span s, const char **comma)
{
	char text[CIDR_TEXT_SIZE];
	uint64_t at = s.first, end = (uint64_t) s.last + 1;
	while (at < end) {
		uint64_t size = at == 0 ? UINT64_C(1) << 32 : at & (~at + 1);
		while (at + size > end)
			size /= 2;
		struct cidr block = {ip_from_v4((uint32_t) at), (uint8_t) (32 - __builtin_ctzll(size))};
		buf_print(b, "%s%s", *comma, cidr_write(block, text));
		*comma = ", ";
		at += size;
	}
}

static bool is_whole(const struct nb_spans *spans, uint32_t last)
{
	return spans->at.count == 1 && spans->at.at[0].first == 0 && spans->at.at[0].last == last;
}

struct str nb_write_addresses(struct wish *w, const char *field, const struct nb_spans *spans)
{
	struct buf b;
	const char *comma = "";
	if (is_whole(spans, UINT32_MAX))
		return STR_NONE;
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, " && %s == {", field);
	for (size_t k = 0; k < spans->at.count; k++)
		write_blocks(&b, spans->at.at[k], &comma);
	buf_print(&b, "}");
	return wish_take_text(w, &b);
}

/* ---- a line ---- */

/* Extent of a rule on the line. */
struct place {
	size_t order;
	bool denies;
	struct nb_span on, sources;
};

/* Spans that exclude the same sources. */
struct part {
	struct nb_spans kept_out, spans;
};

struct line {
	const struct nb_dropping *d;
	const char *protocol;     /* as in matches: "tcp"; for "icmp4" spans combine type and code */
	VEC(struct place) places; /* sorted by start */
	VEC(struct part) parts;
	VEC(struct place) open;         /* places that cover the present span */
	struct nb_spans let_in, others; /* admitted and excluded sources of the present span */
	struct nb_spans cuts;
};

static bool is_icmp(const struct line *line)
{
	return strcmp(line->protocol, "icmp4") == 0;
}

/* The whole line, a range of ports, or the codes of an ICMP type. */
static struct nb_span span_of_rule(const struct nb_rule *r)
{
	if (r->protocol < 0 || r->from < 0)
		return (struct nb_span){0, LINE_LAST};
	if (r->protocol != IPPROTO_ICMP)
		return (struct nb_span){(uint32_t) r->from, (uint32_t) r->to};
	uint32_t first = (uint32_t) r->from * ICMP_CODES;
	return r->to < 0 ? (struct nb_span){first, first + ICMP_CODES - 1}
			 : (struct nb_span){first + (uint32_t) r->to, first + (uint32_t) r->to};
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	return x->on.first != y->on.first ? (x->on.first < y->on.first ? -1 : 1) : 0;
}

static bool is_same(const struct nb_spans *a, const struct nb_spans *b)
{
	bool is = a->at.count == b->at.count;
	for (size_t k = 0; k < a->at.count && is; k++)
		is = a->at.at[k].first == b->at.at[k].first && a->at.at[k].last == b->at.at[k].last;
	return is;
}

/* The part that excludes line->others. */
static struct part *find_part(struct line *line)
{
	struct wish *w = line->d->w;
	struct part made = {0};
	for (size_t k = 0; k < line->parts.count; k++)
		if (is_same(&line->parts.at[k].kept_out, &line->others))
			return &line->parts.at[k];
	for (size_t k = 0; k < line->others.at.count; k++)
		nb_add_span(w, &made.kept_out, line->others.at.at[k].first, line->others.at.at[k].last);
	if (VEC_PUSH(w->arena, &line->parts, made))
		return &line->parts.at[line->parts.count - 1];
	w->failed = true;
	return NULL;
}

static void add_to_part(struct line *line, struct nb_span span)
{
	struct part *part = find_part(line);
	struct nb_span *last =
		part && part->spans.at.count ? &part->spans.at.at[part->spans.at.count - 1] : NULL;
	if (last && last->last + 1 == span.first)
		last->last = span.last;
	else if (part)
		nb_add_span(line->d->w, &part->spans, span.first, span.last);
}

/* The deciding one among the open places that contain the source; NULL: none. */
static const struct place *find_deciding(const struct line *line, uint32_t source)
{
	const struct place *found = NULL;
	for (size_t k = 0; k < line->open.count; k++) {
		const struct place *p = &line->open.at[k];
		if (p->sources.first <= source && source <= p->sources.last &&
		    (!found || p->order < found->order))
			found = p;
	}
	return found;
}

static void sort_spans(struct nb_spans *spans)
{
	if (spans->at.count)
		qsort(spans->at.at, spans->at.count, sizeof *spans->at.at, compare_spans);
}

/* Computes admitted sources, if there are deny rules: between two neighbouring ends of rules' sources the
 * deciding rule is constant. */
static void find_let_in(struct line *line)
{
	struct wish *w = line->d->w;
	bool denies = false;
	line->let_in.at.count = line->cuts.at.count = 0;
	for (size_t k = 0; k < line->open.count; k++)
		denies = denies || line->open.at[k].denies;
	for (size_t k = 0; k < line->open.count; k++) {
		struct nb_span sources = line->open.at[k].sources;
		if (!denies) {
			nb_add_span(w, &line->let_in, sources.first, sources.last);
			continue;
		}
		nb_add_span(w, &line->cuts, sources.first, 0);
		if (sources.last < UINT32_MAX)
			nb_add_span(w, &line->cuts, sources.last + 1, 0);
	}
	sort_spans(&line->cuts);
	for (size_t k = 0; k < line->cuts.at.count; k++) {
		uint32_t first = line->cuts.at.at[k].first;
		bool is_last = k + 1 == line->cuts.at.count;
		uint32_t next = is_last ? 0 : line->cuts.at.at[k + 1].first; /* 0: behind the last one */
		const struct place *deciding = is_last || first < next ? find_deciding(line, first) : NULL;
		if (deciding && !deciding->denies)
			nb_add_span(w, &line->let_in, first, next - 1);
	}
}

/* Adds a span without a rule's end inside. Spans come in order; *next is the first place that has not
 * begun. */
static void divide(struct line *line, struct nb_span span, size_t *next)
{
	struct wish *w = line->d->w;
	size_t kept = 0;
	for (; *next < line->places.count && line->places.at[*next].on.first <= span.first; ++*next)
		if (!VEC_PUSH(w->arena, &line->open, line->places.at[*next]))
			w->failed = true;
	for (size_t k = 0; k < line->open.count; k++)
		if (line->open.at[k].on.last >= span.first)
			line->open.at[kept++] = line->open.at[k];
	line->open.count = kept;
	find_let_in(line);
	nb_find_rest(w, &line->let_in, &line->others);
	if (line->others.at.count)
		add_to_part(line, span);
}

/* for example " && (tcp.dst == 22 || 80 <= tcp.dst <= 90)" */
static void write_ports(struct buf *b, const char *protocol, const struct nb_spans *spans)
{
	const char *between = "";
	buf_print(b, " && (");
	for (size_t k = 0; k < spans->at.count; k++, between = " || ") {
		struct nb_span s = spans->at.at[k];
		if (s.first == s.last)
			buf_print(b, "%s%s.dst == %u", between, protocol, s.first);
		else
			buf_print(b, "%s%u <= %s.dst <= %u", between, s.first, protocol, s.last);
	}
	buf_print(b, ")");
}

/* for example "0, 1, 2" */
static void write_numbers(struct buf *b, uint32_t first, uint32_t last, const char **comma)
{
	for (; first <= last; first++, *comma = ", ")
		buf_print(b, "%s%u", *comma, first);
}

/* Codes of a single type, or types with all their codes. */
static void write_types(struct buf *b, const struct nb_spans *spans, bool in_whole, const char **between)
{
	const char *comma = "";
	for (size_t k = 0; k < spans->at.count; k++) {
		for (uint32_t at = spans->at.at[k].first, last; at <= spans->at.at[k].last; at = last + 1) {
			uint32_t type = at / ICMP_CODES, of_type = type * ICMP_CODES + ICMP_CODES - 1;
			last = of_type < spans->at.at[k].last ? of_type : spans->at.at[k].last;
			bool is_type = at % ICMP_CODES == 0 && last == of_type;
			if (is_type && in_whole) {
				buf_print(b, "%s", comma[0] ? "" : "icmp4.type == {");
				write_numbers(b, type, type, &comma);
			} else if (!is_type && !in_whole) {
				comma = "";
				buf_print(b, "%s(icmp4.type == %u && icmp4.code == {", *between, type);
				write_numbers(b, at % ICMP_CODES, last % ICMP_CODES, &comma);
				buf_print(b, "})");
				*between = " || ";
			}
		}
	}
	if (in_whole && comma[0]) {
		buf_print(b, "}");
		*between = " || ";
	}
}

static struct str write_part(const struct line *line, const struct part *part)
{
	struct str sources = nb_write_addresses(line->d->w, "ip4.src", &part->kept_out);
	const char *between = "";
	struct buf b;
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, "%" STR_FMT "%" STR_FMT, STR_ARG(line->d->to), STR_ARG(sources));
	if (is_whole(&part->spans, LINE_LAST))
		buf_print(&b, " && %s", line->protocol);
	else if (!is_icmp(line))
		write_ports(&b, line->protocol, &part->spans);
	else {
		buf_print(&b, " && (");
		write_types(&b, &part->spans, true, &between);
		write_types(&b, &part->spans, false, &between);
		buf_print(&b, ")");
	}
	return wish_take_text(line->d->w, &b);
}

static void find_places(struct line *line, int64_t protocol)
{
	struct wish *w = line->d->w;
	for (size_t k = 0; k < line->d->count; k++) {
		const struct nb_rule *r = &line->d->rules[k];
		struct place place = {k, r->denies, span_of_rule(r), span_of_block(r->source)};
		if ((r->protocol == protocol || r->protocol < 0) && !VEC_PUSH(w->arena, &line->places, place))
			w->failed = true;
	}
	if (line->places.count)
		qsort(line->places.at, line->places.count, sizeof *line->places.at, compare_places);
}

/* protocol -1: protocols that only rules for all protocols cover. */
static void plan_line(const struct nb_dropping *d, int64_t protocol, const char *words)
{
	struct line line = {.d = d, .protocol = words};
	struct nb_spans cuts = {0}; /* starts of spans */
	size_t at = 0;
	find_places(&line, protocol);
	nb_add_span(d->w, &cuts, 0, 0);
	for (size_t k = 0; k < line.places.count; k++) {
		nb_add_span(d->w, &cuts, line.places.at[k].on.first, 0);
		nb_add_span(d->w, &cuts, line.places.at[k].on.last + 1, 0);
	}
	sort_spans(&cuts);
	for (size_t k = 0; k < cuts.at.count; k++) {
		uint32_t next = k + 1 < cuts.at.count ? cuts.at.at[k + 1].first : LINE_LAST + 1;
		if (cuts.at.at[k].first < next && cuts.at.at[k].first <= LINE_LAST)
			divide(&line, (struct nb_span){cuts.at.at[k].first, next - 1}, &at);
	}
	for (size_t k = 0; k < line.parts.count; k++)
		d->drop(d->arg, write_part(&line, &line.parts.at[k]));
}

/* ---- protocols ---- */

void nb_drop_known(const struct nb_dropping *d)
{
	plan_line(d, IPPROTO_ICMP, "icmp4");
	plan_line(d, IPPROTO_TCP, "tcp");
	plan_line(d, IPPROTO_UDP, "udp");
}

static bool is_named(const struct nb_dropping *d, uint32_t protocol)
{
	for (size_t k = 0; k < d->count; k++)
		if (d->rules[k].protocol == (int64_t) protocol)
			return true;
	return false;
}

void nb_drop_others(const struct nb_dropping *d)
{
	char one[32];
	struct buf b;
	const char *comma = "";
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, "ip.proto == {");
	for (uint32_t k = 0; k < PROTOCOLS; k++) {
		if (k == IPPROTO_ICMP || k == IPPROTO_TCP || k == IPPROTO_UDP)
			continue;
		if (is_named(d, k)) {
			(void) snprintf(one, sizeof one, "ip.proto == %u", k);
			plan_line(d, k, one);
		} else {
			write_numbers(&b, k, k, &comma);
		}
	}
	buf_print(&b, "}");
	struct str rest = wish_take_text(d->w, &b);
	if (rest.p)
		plan_line(d, -1, str_to_z(d->w->arena, rest));
}

void nb_drop_all(const struct nb_dropping *d)
{
	if (d->count == 0) {
		d->drop(d->arg, d->to);
		return;
	}
	nb_drop_known(d);
	nb_drop_others(d);
}
