/* SPDX-License-Identifier: Apache-2.0
 * Names that this region serves in a VPC: ip-10-0-1-10.<domain> for ports, i-<digits>.<domain> for instances
 * with such records, 10.1.0.10.in-addr.arpa for addresses of the VPC, and ec2-203-0-113-7.<public domain>
 * for public addresses. The last gives the private address within the VPC and peers that may see it, else
 * the public one. A VPC without host names has none of these. Reverse names and labels (<label>.<domain of
 * labels>) of public addresses, and names of network load balancers, exist in every VPC; names of VPC endpoints exist in
 * their own. Unknown names below these domains do not exist: they are
 * never forwarded.
 */
#include "api/metadata/dns_zone.h"

#include "engine/balancing/balancing.h"
#include "engine/network/address/address.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/region/region.h"
#include "engine/transit/transit.h"
#include "model/id.h"
#include "model/secondary_ip.h"
#include "store/address.h"
#include "store/elastic_load_balancer.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/router.h"
#include "store/subnet.h"

bool dns_zone_knows(const struct tables *t, uuid router, struct ip source)
{
	return engine_find_port_by_ip(t, router, source) != NULL;
}

/* Parses four decimal numbers separated by sep. */
static bool parse_quad(struct str text, char sep, struct ip *ret_ip)
{
	struct ip ip = {.family = IP_V4};
	struct str piece = STR_NONE;
	int64_t value = 0;
	if (text.n && text.p[text.n - 1] == sep) /* splitting ignores a trailing separator */
		return false;
	for (int k = 0; k < 4; k++) {
		bool is_last = k == 3;
		if (!str_split_next(&text, sep, &piece) || piece.n < 1 || piece.n > 3 ||
		    (piece.p[0] == '0' && piece.n > 1) || piece.p[0] < '0' || piece.p[0] > '9' ||
		    !result_is_ok(str_parse_int(piece, &value)) || value > 255 ||
		    str_is_empty(text) != is_last)
			return false;
		ip.b[k] = (uint8_t) value;
	}
	*ret_ip = ip;
	return true;
}

/* "ip-10-0-1-10", "ec2-203-0-113-7" */
static bool parse_host_name(struct str label, struct str prefix, struct ip *ret_ip)
{
	return str_starts_with(label, prefix) && parse_quad(str_slice(label, prefix.n, label.n), '-', ret_ip);
}

/* Addresses of a name; at least one is set. */
struct host_ips {
	struct ip a, aaaa;
};

static const struct host_ips no_ips;

/* Finds the first address of each family on the instance's primary port, if the instance has such a
 * record. */
static bool find_instance(const struct tables *t, const struct router *r, struct str label,
			  struct host_ips *ret_ips)
{
	struct ref ref = {0};
	bool is_id = result_is_ok(id_parse_ec2(label, KIND_INSTANCE, &ref)) && ref.bits > 0;
	const struct instance *i = is_id ? instance_find_prefix(t, ref.prefix, ref.bits) : NULL;
	const struct port *p = i ? port_first_by_instance(t, i->row.id) : NULL;
	if (!p || !row_is_live(&p->row) || !uuid_equal(p->router, r->row.id))
		return false;
	struct ip a = {0}, aaaa = {0};
	*(p->ip.family == IP_V6 ? &aaaa : &a) = p->ip;
	const struct secondary_ip *s = engine_first_secondary_ip(t, p->row.id);
	for (; s && ip_is_none(aaaa); s = engine_next_secondary_ip(t, s))
		if (s->ip.family == IP_V6)
			aaaa = s->ip;
	*ret_ips = no_ips;
	if (i->id_name_has_a)
		ret_ips->a = a;
	if (i->id_name_has_aaaa)
		ret_ips->aaaa = aaaa;
	return !ip_is_none(ret_ips->a) || !ip_is_none(ret_ips->aaaa);
}

static bool find_private(const struct tables *t, const struct router *r, struct str label,
			 struct host_ips *ret_ips)
{
	if (!engine_has_hostnames(r))
		return false;
	if (find_instance(t, r, label, ret_ips))
		return true;
	*ret_ips = no_ips;
	return parse_host_name(label, STR("ip-"), &ret_ips->a) &&
	       engine_find_port_by_ip(t, r->row.id, ret_ips->a);
}

static bool find_public(const struct tables *t, const struct router *r, struct str label,
			struct host_ips *ret_ips)
{
	*ret_ips = no_ips;
	if (!parse_host_name(label, STR("ec2-"), &ret_ips->a))
		return false;
	const struct address *address = engine_find_public_ip(t, ret_ips->a);
	const struct port *port = address ? port_find(t, address->port) : NULL;
	if (!port || !engine_has_hostnames(router_find(t, port->router)))
		return false;
	if (uuid_equal(port->router, r->row.id) || engine_resolves_for_peer(t, r->row.id, port->router) ||
	    engine_resolves_over_transit(t, r->row.id, port->router))
		ret_ips->a = address->private_ip;
	return true;
}

/* Finds the label of a public address. It resolves to that address everywhere. */
static bool find_label(const struct tables *t, const struct router *r, struct str label,
		       struct host_ips *ret_ips)
{
	const struct address *address = engine_find_label(t, label);
	(void) r;
	*ret_ips = no_ips;
	if (address)
		*(address->ip.family == IP_V6 ? &ret_ips->aaaa : &ret_ips->a) = address->ip;
	return address != NULL;
}

/* Finds a load balancer. The name of an internal one has the private address of its first front, the name of an
 * internet-facing one the public address everywhere, as in ELBv2. A dualstack load balancer's name also has the first
 * front's IPv6 address. */
static bool find_balancer(const struct tables *t, const struct router *r, struct str label,
			  struct host_ips *ret_ips)
{
	const struct elastic_load_balancer *b = engine_find_balancer_label(t, label);
	const struct port *front = b && b->fronts.count ? port_find(t, b->fronts.at[0]) : NULL;
	const struct address *a = front && !b->is_internal ? address_first_by_port(t, front->row.id) : NULL;
	(void) r;
	*ret_ips = no_ips;
	if (front)
		ret_ips->a = a && row_is_live(&a->row) ? a->ip : front->ip;
	if (front && b->is_dualstack)
		ret_ips->aaaa = engine_get_port_ip(t, front, IP_V6);
	return front != NULL;
}

/* "10.1.0.10.in-addr.arpa" is 10.0.1.10. */
static bool parse_reverse_name(struct str name, struct ip *ret_ip)
{
	static const struct str suffix = {".in-addr.arpa", 13};
	struct ip ip = {0};
	if (!str_ends_with(name, suffix) || !parse_quad(str_slice(name, 0, name.n - suffix.n), '.', &ip))
		return false;
	*ret_ip = (struct ip){{ip.b[3], ip.b[2], ip.b[1], ip.b[0]}, IP_V4};
	return true;
}

static bool router_contains(const struct tables *t, const struct router *r, struct ip ip)
{
	for (size_t k = 0; k < r->blocks.count; k++)
		if (cidr_contains(r->blocks.at[k], ip))
			return true;
	for (const struct subnet *s = subnet_first_by_router(t, r->row.id); s && r->blocks.count == 0;
	     s = subnet_next_by_router(t, s))
		if (row_is_live(&s->row) && cidr_contains(s->block, ip))
			return true;
	return false;
}

/* No such name, or no record of that type: the answer has the zone's SOA. */
static enum dns_verdict say_nothing(struct dns_answer *answer, enum dns_rcode rcode, struct str zone)
{
	*answer = (struct dns_answer){.rcode = rcode, .is_authoritative = true, .zone = zone};
	return DNS_ANSWER;
}

/* Checks what is never served; DNS_NOERROR: go on. A VPC without DNS support has no resolver. */
static enum dns_rcode check_query(const struct router *r, const struct dns_query *q)
{
	if (q->has_edns && q->edns_version > 0)
		return DNS_BADVERS;
	if (q->opcode != 0)
		return DNS_NOTIMP;
	bool is_transfer = q->type == DNS_AXFR || q->type == DNS_IXFR;
	return !r || !r->dns_support || q->class != DNS_CLASS_IN || is_transfer ? DNS_REFUSED : DNS_NOERROR;
}

typedef bool find_host(const struct tables *t, const struct router *r, struct str label,
		       struct host_ips *ret_ips);

/* True if the name is the domain or below it. */
static bool is_in_domain(struct str name, struct str domain)
{
	bool is_below =
		name.n > domain.n && str_ends_with(name, domain) && name.p[name.n - domain.n - 1] == '.';
	return domain.n && (is_below || str_equal(name, domain));
}

static enum dns_verdict ask_domain(const struct tables *t, const struct router *r, struct str domain,
				   find_host *const find[2], const struct dns_query *q,
				   struct dns_answer *answer)
{
	struct str name = str_from(q->name), label = STR_NONE;
	struct host_ips ips = no_ips;
	if (str_equal(name, domain)) {
		(void) say_nothing(answer, DNS_NOERROR, domain);
		answer->has_soa_answer = q->type == DNS_SOA || q->type == DNS_ANY;
		return DNS_ANSWER;
	}
	label = str_slice(name, 0, name.n - domain.n - 1);
	if (!find[0](t, r, label, &ips) && !(find[1] && find[1](t, r, label, &ips)))
		return say_nothing(answer, DNS_NXDOMAIN, domain);
	if (q->type != DNS_A && q->type != DNS_ANY)
		ips.a = (struct ip){0};
	if (q->type != DNS_AAAA && q->type != DNS_ANY)
		ips.aaaa = (struct ip){0};
	if (ip_is_none(ips.a) && ip_is_none(ips.aaaa))
		return say_nothing(answer, DNS_NOERROR, domain);
	*answer = (struct dns_answer){.is_authoritative = true, .a = ips.a, .aaaa = ips.aaaa};
	return DNS_ANSWER;
}

/* The address of an endpoint's first interface; none: the VPC has no endpoint of that name. */
static struct ip find_endpoint(const struct tables *t, struct arena *a, uuid router, struct str name)
{
	const struct vpc_endpoint *e = engine_find_endpoint_by_host(t, a, router, name);
	const struct port *front = e && e->fronts.count ? port_find(t, e->fronts.at[0]) : NULL;
	return front ? front->ip : (struct ip){0};
}

static enum dns_verdict say_address(struct str name, struct ip ip, const struct dns_query *q,
				    struct dns_answer *answer)
{
	if (q->type != DNS_A && q->type != DNS_ANY)
		return say_nothing(answer, DNS_NOERROR, name);
	*answer = (struct dns_answer){.is_authoritative = true, .a = ip};
	return DNS_ANSWER;
}

static enum dns_verdict ask_reverse(const struct tables *t, struct arena *a, const struct router *r,
				    struct ip ip, const struct dns_query *q, struct dns_answer *answer)
{
	struct str zone = str_print(a, "%u.%u.%u.in-addr.arpa", ip.b[2], ip.b[1], ip.b[0]);
	if (!engine_has_hostnames(r) || !engine_find_port_by_ip(t, r->row.id, ip))
		return say_nothing(answer, DNS_NXDOMAIN, zone);
	if (q->type != DNS_PTR && q->type != DNS_ANY)
		return say_nothing(answer, DNS_NOERROR, zone);
	struct str name = str_print(a, "ip-%u-%u-%u-%u.%" STR_FMT, ip.b[0], ip.b[1], ip.b[2], ip.b[3],
				    STR_ARG(engine_get_domain_name(t, a)));
	*answer = (struct dns_answer){.is_authoritative = true, .ptr = name};
	return DNS_ANSWER;
}

/* Reverse name that the owner set; empty: none. */
static struct str find_reverse_name(const struct tables *t, struct ip ip)
{
	const struct address *address = engine_find_public_ip(t, ip);
	return address && row_is_live(&address->row) ? address->reverse_name : STR_NONE;
}

static enum dns_verdict ask_public_reverse(struct arena *a, struct str name, const struct dns_query *q,
					   struct dns_answer *answer)
{
	if (q->type != DNS_PTR && q->type != DNS_ANY)
		return say_nothing(answer, DNS_NOERROR, str_from(q->name));
	*answer = (struct dns_answer){.is_authoritative = true, .ptr = str_copy(a, name)};
	return DNS_ANSWER;
}

/* Answers names of load balancers. The standard domain is the region's own. The domain that the operator chose also has names
 * of others (AWS's own load balancers, for amazonaws.com), so names that the region lacks go to the resolvers above. */
static bool ask_balancers(const struct tables *t, struct arena *a, const struct router *r,
			  const struct dns_query *q, struct dns_answer *answer)
{
	static find_host *const find[2] = {find_balancer, NULL};
	struct str name = str_from(q->name), own = str_lower(a, engine_get_balancer_domain(t, a));
	if (is_in_domain(name, own))
		return ask_domain(t, r, own, find, q, answer) == DNS_ANSWER;
	for (int is_network = 0; is_network < 2; is_network++) {
		struct str chosen = str_lower(a, engine_get_chosen_balancer_domain(t, a, is_network));
		struct host_ips ips = no_ips;
		if (is_in_domain(name, chosen) && !str_equal(name, chosen) &&
		    find_balancer(t, r, str_slice(name, 0, name.n - chosen.n - 1), &ips))
			return ask_domain(t, r, chosen, find, q, answer) == DNS_ANSWER;
	}
	return false;
}

enum dns_verdict dns_zone_ask(const struct tables *t, struct arena *a, uuid router,
			      const struct dns_query *query, struct dns_answer *ret_answer)
{
	const struct router *r = router_find(t, router);
	struct ip ip = {0};
	*ret_answer = (struct dns_answer){.rcode = check_query(r, query)};
	if (ret_answer->rcode != DNS_NOERROR)
		return DNS_ANSWER;
	struct str name = str_from(query->name), domain = str_lower(a, engine_get_domain_name(t, a));
	struct str public = str_lower(a, engine_get_public_domain_name(t, a));
	bool is_one = str_equal(domain, public); /* both domains are the same in most regions */
	if (is_in_domain(name, domain))
		return ask_domain(t, r, domain,
				  (find_host *const[2]){find_private, is_one ? find_public : NULL}, query,
				  ret_answer);
	if (is_in_domain(name, public))
		return ask_domain(t, r, public, (find_host *const[2]){find_public, NULL}, query, ret_answer);
	struct str labels = str_lower(a, engine_get_label_domain(t, a));
	if (is_in_domain(name, labels))
		return ask_domain(t, r, labels, (find_host *const[2]){find_label, NULL}, query, ret_answer);
	if (ask_balancers(t, a, r, query, ret_answer))
		return DNS_ANSWER;
	struct ip endpoint = find_endpoint(t, a, router, name);
	if (!ip_is_none(endpoint))
		return say_address(name, endpoint, query, ret_answer);
	if (!parse_reverse_name(name, &ip))
		return DNS_FORWARD;
	if (router_contains(t, r, ip))
		return ask_reverse(t, a, r, ip, query, ret_answer);
	struct str reverse = find_reverse_name(t, ip);
	return reverse.n ? ask_public_reverse(a, reverse, query, ret_answer) : DNS_FORWARD;
}
