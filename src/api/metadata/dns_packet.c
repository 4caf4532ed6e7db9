/* SPDX-License-Identifier: Apache-2.0
 * Reads and writes DNS packets with ldns.
 */
#include "api/metadata/dns_packet.h"

/* not <ldns/ldns.h>: that includes OpenSSL, whose ERR_STATE conflicts with ours */
#include <ldns/rbtree.h>

#include <ldns/dname.h>
#include <ldns/host2wire.h>
#include <ldns/packet.h>
#include <ldns/rr.h>
#include <ldns/wire2host.h>

enum {
	NEGATIVE_TTL_S = 60,
	ANSWER_TTL_S = 60,
	SOA_SERIAL = 1,
	SOA_REFRESH_S = 7200,
	SOA_RETRY_S = 900,
	SOA_EXPIRE_S = 1209600
};

/* ---- reading ---- */

static uint16_t read_u16(const uint8_t *p)
{
	return (uint16_t) (p[0] << 8 | p[1]);
}

static char name_char(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char) (c - 'A' + 'a');
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? (char) c : '?';
}

/* Converts labels to text. ldns returns names uncompressed and complete, at most 255 octets. */
static bool read_name(const uint8_t *wire, size_t size, struct dns_query *q)
{
	size_t out = 0, at = 0;
	if (size > DNS_NAME_MAX)
		return false;
	while (at < size && wire[at]) {
		size_t n = wire[at++];
		if (n > 63 || at + n >= size)
			return false;
		if (out)
			q->name[out++] = '.';
		for (size_t k = 0; k < n; k++)
			q->name[out++] = name_char(wire[at + k]);
		at += n;
	}
	q->name[out] = '\0';
	memcpy(q->wire_name, wire, size);
	q->wire_name_size = size;
	return at + 1 == size;
}

static bool read_question(const ldns_rr *rr, struct dns_query *q)
{
	const ldns_rdf *owner = rr ? ldns_rr_owner(rr) : NULL;
	if (!owner || !read_name(ldns_rdf_data(owner), ldns_rdf_size(owner), q))
		return false;
	q->type = (uint16_t) ldns_rr_get_type(rr);
	q->class = (uint16_t) ldns_rr_get_class(rr);
	q->has_question = true;
	return true;
}

static void read_edns(const ldns_pkt *packet, struct dns_query *q)
{
	q->udp_size = DNS_UDP_PLAIN_SIZE;
	q->has_edns = ldns_pkt_edns(packet);
	if (!q->has_edns)
		return;
	uint16_t size = ldns_pkt_edns_udp_size(packet);
	if (size > DNS_UDP_PLAIN_SIZE)
		q->udp_size = size < DNS_UDP_SIZE ? size : DNS_UDP_SIZE;
	q->edns_version = ldns_pkt_edns_version(packet);
	q->wants_dnssec = ldns_pkt_edns_do(packet);
}

enum dns_reading dns_read_query(const uint8_t *bytes, size_t size, struct dns_query *ret_query)
{
	struct dns_query *q = ret_query;
	*q = (struct dns_query){.udp_size = DNS_UDP_PLAIN_SIZE};
	if (size < DNS_HEADER_SIZE || LDNS_QR_WIRE(bytes))
		return DNS_READ_NOISE;
	q->id = read_u16(bytes);
	q->opcode = LDNS_OPCODE_WIRE(bytes);
	q->recursion_desired = LDNS_RD_WIRE(bytes);
	q->checking_disabled = LDNS_CD_WIRE(bytes);
	if (q->opcode != LDNS_PACKET_QUERY)
		return DNS_READ_QUERY; /* other opcodes have another layout */
	if (read_u16(bytes + 4) != 1)
		return DNS_READ_BAD;
	ldns_pkt *packet = NULL;
	bool is_good = ldns_wire2pkt(&packet, bytes, size) == LDNS_STATUS_OK;
	if (is_good) {
		is_good = read_question(ldns_rr_list_rr(ldns_pkt_question(packet), 0), q);
		read_edns(packet, q);
		ldns_pkt_free(packet);
	}
	return is_good ? DNS_READ_QUERY : DNS_READ_BAD;
}

bool dns_is_answer(const uint8_t *bytes, size_t size, uint16_t id, const struct dns_query *query)
{
	size_t at = DNS_HEADER_SIZE;
	ldns_rr *rr = NULL;
	struct dns_query theirs = {0};
	if (size < DNS_HEADER_SIZE || !LDNS_QR_WIRE(bytes) || read_u16(bytes) != id ||
	    read_u16(bytes + 4) != 1 ||
	    ldns_wire2rr(&rr, bytes, size, &at, LDNS_SECTION_QUESTION) != LDNS_STATUS_OK)
		return false;
	bool is_same = read_question(rr, &theirs) && theirs.type == query->type &&
		       theirs.class == query->class && theirs.wire_name_size == query->wire_name_size &&
		       strcmp(theirs.name, query->name) == 0;
	ldns_rr_free(rr);
	return is_same;
}

/* ---- writing ---- */

/* Builder with a sticky error: after a failure all steps do nothing. */
struct maker {
	ldns_pkt *packet;
	bool failed;
};

static void add_field(struct maker *m, ldns_rr *rr, ldns_rdf *field)
{
	if (rr && field && ldns_rr_push_rdf(rr, field))
		return;
	ldns_rdf_deep_free(field);
	m->failed = true;
}

static void add_record(struct maker *m, ldns_pkt_section section, ldns_rr *rr)
{
	if (rr && ldns_rr_owner(rr) && !m->failed && ldns_pkt_push_rr(m->packet, section, rr))
		return;
	ldns_rr_free(rr);
	m->failed = true;
}

/* Takes ownership of `owner`. */
static ldns_rr *new_record(ldns_rdf *owner, uint16_t type, uint16_t class)
{
	ldns_rr *rr = ldns_rr_new();
	if (!rr) {
		ldns_rdf_deep_free(owner);
		return NULL;
	}
	ldns_rr_set_owner(rr, owner);
	ldns_rr_set_type(rr, (ldns_rr_type) type);
	ldns_rr_set_class(rr, (ldns_rr_class) class);
	ldns_rr_set_ttl(rr, ANSWER_TTL_S);
	return rr;
}

static ldns_rdf *new_asked_name(const struct dns_query *q)
{
	return ldns_dname_new_frm_data((uint16_t) q->wire_name_size, q->wire_name);
}

static void add_question(struct maker *m, const struct dns_query *q)
{
	ldns_rr *rr = new_record(new_asked_name(q), q->type, q->class);
	if (rr)
		ldns_rr_set_question(rr, true);
	add_record(m, LDNS_SECTION_QUESTION, rr);
}

/* Adds an A or AAAA record. */
static void add_ip(struct maker *m, const struct dns_query *q, struct ip ip)
{
	bool is_ipv6 = ip.family == IP_V6;
	ldns_rr *rr = new_record(new_asked_name(q), is_ipv6 ? DNS_AAAA : DNS_A, DNS_CLASS_IN);
	add_field(m, rr,
		  ldns_rdf_new_frm_data(is_ipv6 ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A, is_ipv6 ? 16 : 4,
					ip.b));
	add_record(m, LDNS_SECTION_ANSWER, rr);
}

static void add_ptr(struct maker *m, const struct dns_query *q, struct str name)
{
	ldns_rr *rr = new_record(new_asked_name(q), DNS_PTR, DNS_CLASS_IN);
	add_field(m, rr, ldns_dname_new_frm_str(name.p));
	add_record(m, LDNS_SECTION_ANSWER, rr);
}

static void add_soa(struct maker *m, ldns_pkt_section section, struct str zone)
{
	static const uint32_t periods[] = {SOA_REFRESH_S, SOA_RETRY_S, SOA_EXPIRE_S, NEGATIVE_TTL_S};
	ldns_rr *rr = new_record(ldns_dname_new_frm_str(zone.p), DNS_SOA, DNS_CLASS_IN);
	ldns_rdf *contact = ldns_dname_new_frm_str("hostmaster"), *below = ldns_dname_new_frm_str(zone.p);
	if (!contact || !below || ldns_dname_cat(contact, below) != LDNS_STATUS_OK)
		m->failed = true;
	ldns_rdf_deep_free(below);
	add_field(m, rr, ldns_dname_new_frm_str(zone.p));
	add_field(m, rr, contact);
	add_field(m, rr, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, SOA_SERIAL));
	for (size_t k = 0; k < sizeof periods / sizeof *periods; k++)
		add_field(m, rr, ldns_native2rdf_int32(LDNS_RDF_TYPE_PERIOD, periods[k]));
	add_record(m, section, rr);
}

static void set_header(ldns_pkt *p, const struct dns_query *q, const struct dns_answer *answer)
{
	ldns_pkt_set_id(p, q->id);
	ldns_pkt_set_qr(p, true);
	ldns_pkt_set_opcode(p, (ldns_pkt_opcode) q->opcode);
	ldns_pkt_set_aa(p, answer->is_authoritative);
	ldns_pkt_set_tc(p, answer->is_truncated);
	ldns_pkt_set_rd(p, q->recursion_desired);
	ldns_pkt_set_ra(p, true);
	ldns_pkt_set_cd(p, q->checking_disabled);
	ldns_pkt_set_rcode(p, (uint8_t) (answer->rcode & 15));
	if (!q->has_edns)
		return;
	ldns_pkt_set_edns_udp_size(p, DNS_UDP_SIZE);
	ldns_pkt_set_edns_extended_rcode(p, (uint8_t) (answer->rcode >> 4));
	ldns_pkt_set_edns_do(p, q->wants_dnssec);
}

static bool write_packet(const ldns_pkt *p, uint8_t *out, size_t capacity, size_t *ret_size)
{
	ldns_buffer *b = ldns_buffer_new(DNS_UDP_PLAIN_SIZE); /* it grows */
	bool done = b && ldns_pkt2buffer_wire(b, p) == LDNS_STATUS_OK && ldns_buffer_position(b) <= capacity;
	if (done) {
		*ret_size = ldns_buffer_position(b);
		memcpy(out, ldns_buffer_begin(b), *ret_size);
	}
	ldns_buffer_free(b);
	return done;
}

bool dns_write_answer(const struct dns_query *query, const struct dns_answer *answer, uint8_t *out,
		      size_t capacity, size_t *ret_size)
{
	struct maker m = {.packet = ldns_pkt_new()};
	if (!m.packet)
		return false;
	set_header(m.packet, query, answer);
	if (query->has_question)
		add_question(&m, query);
	if (!ip_is_none(answer->a))
		add_ip(&m, query, answer->a);
	if (!ip_is_none(answer->aaaa))
		add_ip(&m, query, answer->aaaa);
	if (answer->ptr.n)
		add_ptr(&m, query, answer->ptr);
	if (answer->zone.n)
		add_soa(&m, answer->has_soa_answer ? LDNS_SECTION_ANSWER : LDNS_SECTION_AUTHORITY,
			answer->zone);
	bool done = !m.failed && write_packet(m.packet, out, capacity, ret_size);
	ldns_pkt_free(m.packet);
	return done;
}
