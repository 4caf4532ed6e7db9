/* SPDX-License-Identifier: Apache-2.0
 * Denied traffic as cells: products of address and port sets. Starts with everything denied and processes the
 * rules from last to first: an allowing rule is subtracted from every cell, leaving at most one cell per
 * side; a denying rule is added. */
#include <netinet/in.h>
#include <stdlib.h>

#include "base/vec.h"
#include "model/port_rule.h"

static const struct port_span all_addresses = {0, UINT32_MAX}, all_ports = {0, 65535};
const struct port_spans port_all_addresses = {&all_addresses, 1}, port_all_ports = {&all_ports, 1};
const int port_protocol_numbers[PORT_PROTOCOLS] = {
	[PORT_TCP] = IPPROTO_TCP, [PORT_UDP] = IPPROTO_UDP, [PORT_ICMP] = IPPROTO_ICMP,
	[PORT_ESP] = IPPROTO_ESP, [PORT_AH] = IPPROTO_AH,   [PORT_OTHERS] = -1};

/* ---- spans ---- */

static int compare_spans(const void *a, const void *b)
{
	const struct port_span *x = a, *y = b;
	return x->first != y->first ? (x->first < y->first ? -1 : 1) : 0;
}

struct port_spans port_spans_settle(struct port_span *spans, size_t count)
{
	size_t kept = 0;
	if (count)
		qsort(spans, count, sizeof *spans, compare_spans);
	for (size_t k = 0; k < count; k++) {
		struct port_span *last = kept ? &spans[kept - 1] : NULL;
		if (last && (uint64_t) spans[k].first <= (uint64_t) last->last + 1)
			last->last = spans[k].last > last->last ? spans[k].last : last->last;
		else
			spans[kept++] = spans[k];
	}
	return (struct port_spans){spans, kept};
}

struct port_span port_span_of_block(struct cidr block)
{
	block = cidr_canonical(block);
	return (struct port_span){ip_to_v4(block.base), ip_to_v4(cidr_last(block))};
}

bool port_spans_subtract(struct arena *a, struct port_spans from, struct port_spans what,
			 struct port_spans *ret_rest)
{
	struct port_span *at = arena_new_array(a, struct port_span, from.count + what.count + 1);
	size_t count = 0, k = 0;
	if (!at)
		return false;
	for (size_t n = 0; n < from.count; n++) {
		uint64_t next = from.at[n].first, end = (uint64_t) from.at[n].last + 1;
		while (k < what.count && what.at[k].last < next)
			k++;
		for (size_t j = k; j < what.count && what.at[j].first < end; j++) {
			if (what.at[j].first > next)
				at[count++] = (struct port_span){(uint32_t) next, what.at[j].first - 1};
			next = (uint64_t) what.at[j].last + 1;
		}
		if (next < end)
			at[count++] = (struct port_span){(uint32_t) next, (uint32_t) (end - 1)};
	}
	*ret_rest = (struct port_spans){at, count};
	return true;
}

static bool intersect(struct arena *a, struct port_spans x, struct port_spans y, struct port_spans *ret)
{
	struct port_spans rest;
	return port_spans_subtract(a, x, y, &rest) && port_spans_subtract(a, x, rest, ret);
}

static bool touch(struct port_spans x, struct port_spans y)
{
	for (size_t k = 0, j = 0; k < x.count && j < y.count;) {
		if (x.at[k].first <= y.at[j].last && y.at[j].first <= x.at[k].last)
			return true;
		if (x.at[k].last < y.at[j].last)
			k++;
		else
			j++;
	}
	return false;
}

static bool is_same(struct port_spans x, struct port_spans y)
{
	bool is = x.count == y.count;
	for (size_t k = 0; k < x.count && is; k++)
		is = x.at[k].first == y.at[k].first && x.at[k].last == y.at[k].last;
	return is;
}

/* ---- cells ---- */

struct cells {
	VEC(struct port_cell) at;
};

static bool cells_touch(const struct port_cell *x, const struct port_cell *y)
{
	for (int s = 0; s < PORT_SIDES; s++)
		if (!touch(x->sides[s], y->sides[s]))
			return false;
	return true;
}

/* Subtracts an overlapping cell; the rest becomes up to one cell per side. */
static bool take_out(struct arena *a, struct port_cell cell, const struct port_cell *other,
		     struct cells *ret_cells)
{
	for (int s = PORT_SIDES - 1; s >= 0; s--) {
		struct port_cell left = cell;
		if (!port_spans_subtract(a, cell.sides[s], other->sides[s], &left.sides[s]) ||
		    (left.sides[s].count && !VEC_PUSH(a, &ret_cells->at, left)) ||
		    !intersect(a, cell.sides[s], other->sides[s], &cell.sides[s]))
			return false;
	}
	return true;
}

static bool take_out_of_all(struct arena *a, const struct port_cell *other, struct cells *cells)
{
	struct cells left = {0};
	for (size_t k = 0; k < cells->at.count; k++) {
		const struct port_cell *cell = &cells->at.at[k];
		bool done = cells_touch(cell, other) ? take_out(a, *cell, other, &left)
						     : VEC_PUSH(a, &left.at, *cell);
		if (!done || left.at.count > PORT_CELLS_MAX)
			return false;
	}
	*cells = left;
	return true;
}

/* Joins two cells that differ in one side only. */
static bool join(struct arena *a, struct port_cell *cell, const struct port_cell *other, bool *ret_joins)
{
	int differs = -1;
	*ret_joins = true;
	for (int s = 0; s < PORT_SIDES && *ret_joins; s++) {
		bool is = is_same(cell->sides[s], other->sides[s]);
		*ret_joins = is || differs < 0;
		differs = is ? differs : s;
	}
	if (!*ret_joins || differs < 0)
		return true;
	struct port_spans x = cell->sides[differs], y = other->sides[differs];
	struct port_span *both = arena_new_array(a, struct port_span, x.count + y.count);
	if (!both)
		return false;
	for (size_t k = 0; k < x.count + y.count; k++)
		both[k] = k < x.count ? x.at[k] : y.at[k - x.count];
	cell->sides[differs] = port_spans_settle(both, x.count + y.count);
	return true;
}

static bool join_all(struct arena *a, struct cells *cells)
{
	struct port_cell *at = cells->at.at;
	for (size_t k = 0; k < cells->at.count; k++)
		for (size_t j = k + 1; j < cells->at.count;) {
			bool joins;
			if (!join(a, &at[k], &at[j], &joins))
				return false;
			if (joins)
				at[j] = at[--cells->at.count];
			else
				j++;
		}
	return true;
}

/* ---- rules ---- */

static bool has_ports(enum port_protocol protocol)
{
	return protocol == PORT_TCP || protocol == PORT_UDP;
}

static bool fits(const struct port_rule *rule, enum port_protocol protocol)
{
	if (rule->protocol < 0)
		return !rule->has_ports || has_ports(protocol);
	return rule->protocol == port_protocol_numbers[protocol];
}

static struct port_cell cell_of(const struct port_rule *rule, enum port_protocol protocol)
{
	struct port_cell cell = rule->about;
	if (!has_ports(protocol))
		cell.sides[PORT_FROM_PORTS] = cell.sides[PORT_TO_PORTS] = port_all_ports;
	return cell;
}

bool port_find_denied(struct arena *a, const struct port_rule *rules, size_t count,
		      enum port_protocol protocol, struct port_cells *ret_cells)
{
	const struct port_cell all = {
		{port_all_addresses, port_all_addresses, port_all_ports, port_all_ports}};
	struct cells cells = {0};
	if (!VEC_PUSH(a, &cells.at, all))
		return false;
	for (size_t k = count; k-- > 0;) {
		if (!fits(&rules[k], protocol))
			continue;
		struct port_cell about = cell_of(&rules[k], protocol);
		if (!take_out_of_all(a, &about, &cells) ||
		    (!rules[k].allows && !VEC_PUSH(a, &cells.at, about)) || !join_all(a, &cells))
			return false;
	}
	*ret_cells = (struct port_cells){cells.at.at, cells.at.count};
	return true;
}

static bool spans_have(struct port_spans spans, uint32_t number)
{
	bool have = false;
	for (size_t k = 0; k < spans.count && !have; k++)
		have = spans.at[k].first <= number && number <= spans.at[k].last;
	return have;
}

bool port_rule_fits(const struct port_rule *rule, const struct port_traffic *traffic)
{
	enum port_protocol protocol = PORT_OTHERS;
	for (int k = 0; k < PORT_OTHERS; k++)
		if (port_protocol_numbers[k] == traffic->protocol)
			protocol = (enum port_protocol) k;
	bool is = fits(rule, protocol);
	for (int side = 0; side < PORT_SIDES && is; side++) {
		bool counts = side == PORT_FROM || side == PORT_TO || has_ports(protocol);
		is = !counts || spans_have(rule->about.sides[side], traffic->sides[side]);
	}
	return is;
}
