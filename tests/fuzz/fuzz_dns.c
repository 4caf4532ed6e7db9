/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes DNS packets: a guest's query, which is answered, and an upstream's answer, compared with a
 * question. */
#include <stdlib.h>

#include "api/metadata/dns_packet.h"
#include "base/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Written packets can be parsed again, and never exceed the client's limit. */
static void answer(const struct dns_query *query)
{
	static const uint16_t sizes[] = {DNS_UDP_PLAIN_SIZE, DNS_UDP_SIZE, 40};
	const struct dns_answer answers[] = {
		{.rcode = DNS_NXDOMAIN, .is_authoritative = true, .zone = STR("ec2.internal")},
		{.a = ip_from_v4(0x0A000001), .is_authoritative = true},
		{.ptr = STR("ip-10-0-0-1.ec2.internal"), .is_truncated = true},
		{.zone = STR("ec2.internal"), .has_soa_answer = true},
	};
	static uint8_t out[DNS_PACKET_MAX];
	for (size_t k = 0; k < sizeof answers / sizeof *answers; k++) {
		size_t capacity = sizes[k % 3], written = 0;
		if (dns_write_answer(query, &answers[k], out, capacity, &written) &&
		    (written > capacity || written < DNS_HEADER_SIZE))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_query query;
	if (size > DNS_PACKET_MAX)
		return 0;
	size_t half = size / 2;
	if (dns_read_query(data, size, &query) == DNS_READ_QUERY)
		answer(&query);
	if (dns_read_query(data, half, &query) == DNS_READ_QUERY)
		(void) dns_is_answer(data + half, size - half, query.id, &query);
	return 0;
}
