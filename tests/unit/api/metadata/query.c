/* SPDX-License-Identifier: Apache-2.0
 * DNS packets for tests, encoded independently of the product's encoder. */
#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

static uint8_t *put_u16(uint8_t *p, unsigned value)
{
	*p++ = (uint8_t) (value >> 8);
	*p++ = (uint8_t) value;
	return p;
}

size_t query_write(uint8_t *out, uint16_t id, const char *name, uint16_t type, uint16_t edns_size)
{
	uint8_t *p = put_u16(put_u16(put_u16(out, id), 0x0100), 1);
	p = put_u16(put_u16(put_u16(p, 0), 0), edns_size ? 1 : 0);
	while (*name) {
		size_t n = strcspn(name, ".");
		*p++ = (uint8_t) n;
		memcpy(p, name, n);
		p += n;
		name += n + (name[n] == '.');
	}
	*p++ = 0;
	p = put_u16(put_u16(p, type), 1);
	if (edns_size) {
		*p++ = 0;
		p = put_u16(put_u16(p, 41), edns_size);
		memset(p, 0, 6);
		p += 6;
	}
	return (size_t) (p - out);
}

/* With spaces for tabs, without the class. */
static void add_record(char **text, const char *section, const ldns_rr *rr)
{
	char *record = ldns_rr2str(rr), *longer = NULL, *in = strstr(record, "\tIN\t");
	if (in)
		memmove(in, in + 3, strlen(in + 3) + 1);
	for (char *c = record; *c; c++)
		*c = *c == '\t' || *c == '\n' ? ' ' : *c;
	while (*record && record[strlen(record) - 1] == ' ')
		record[strlen(record) - 1] = '\0';
	if (asprintf(&longer, "%s; %s%s", *text, section, record) < 0)
		abort();
	free(record);
	free(*text);
	*text = longer;
}

static void add_section(char **text, const char *section, const ldns_rr_list *list)
{
	for (size_t k = 0; k < ldns_rr_list_rr_count(list); k++)
		add_record(text, section, ldns_rr_list_rr(list, k));
}

char *packet_to_text(const uint8_t *bytes, size_t size)
{
	ldns_pkt *p = NULL;
	char *text = NULL, edns[64] = "";
	if (ldns_wire2pkt(&p, bytes, size) != LDNS_STATUS_OK)
		return strdup("not a packet");
	if (ldns_pkt_edns(p))
		(void) snprintf(edns, sizeof edns, " edns=%u", ldns_pkt_edns_udp_size(p));
	if (ldns_pkt_edns_extended_rcode(p))
		(void) snprintf(edns + strlen(edns), 32, " extended=%u", ldns_pkt_edns_extended_rcode(p));
	char *rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(p));
	if (asprintf(&text, "%s%s%s%s%s%s", rcode, ldns_pkt_aa(p) ? " aa" : "", ldns_pkt_tc(p) ? " tc" : "",
		     ldns_pkt_rd(p) ? " rd" : "", ldns_pkt_ra(p) ? " ra" : "", edns) < 0)
		abort();
	free(rcode);
	add_section(&text, "", ldns_pkt_question(p));
	add_section(&text, "an ", ldns_pkt_answer(p));
	add_section(&text, "ns ", ldns_pkt_authority(p));
	ldns_pkt_free(p);
	return text;
}
