/* SPDX-License-Identifier: Apache-2.0
 * Decoding of DNS queries, encoding of answers, and random input. */
#include "../../base/test_base.h"

#include "api/metadata/dns_packet.h"
#include "base/random.h"
#include "query.h"

static void test_plain_query(void **state)
{
	(void) state;
	uint8_t bytes[512];
	struct dns_query q;
	size_t size = query_write(bytes, 0x1234, "IP-10-0-1-10.Us-West-2.compute.internal", DNS_A, 0);
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.type, DNS_A);
	assert_int_equal(q.class, DNS_CLASS_IN);
	assert_string_equal(q.name, "ip-10-0-1-10.us-west-2.compute.internal");
	assert_memory_equal(q.wire_name, bytes + 12, q.wire_name_size);
	assert_true(q.recursion_desired && q.has_question && !q.has_edns);
	assert_int_equal(q.udp_size, 512);
}

static void test_edns(void **state)
{
	static const struct {
		uint16_t said, taken;
	} sizes[] = {{1, 512}, {512, 512}, {900, 900}, {1232, 1232}, {4096, 1232}};
	(void) state;
	uint8_t bytes[512];
	struct dns_query q;
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		size_t size = query_write(bytes, 1, "a.b", DNS_A, sizes[k].said);
		assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
		assert_true(q.has_edns);
		assert_int_equal(q.udp_size, sizes[k].taken);
	}
}

static void test_names(void **state)
{
	(void) state;
	uint8_t bytes[512];
	struct dns_query q;
	size_t size = query_write(bytes, 1, "", DNS_A, 0);
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
	assert_string_equal(q.name, "");
	assert_int_equal(q.wire_name_size, 1);
	size = query_write(bytes, 1, "a.b", DNS_A, 0);
	bytes[13] = '.'; /* a dot within a label is no separator */
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
	assert_string_equal(q.name, "?.b");
	bytes[13] = '\0';
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
	assert_string_equal(q.name, "?.b");
	/* the longest there is: 253 characters */
	char name[256];
	memset(name, 'x', sizeof name);
	for (size_t k = 63; k < 253; k += 64)
		name[k] = '.';
	name[253] = '\0';
	size = query_write(bytes, 1, name, DNS_A, 0);
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
	assert_string_equal(q.name, name);
	assert_int_equal(q.wire_name_size, 255);
}

static void test_noise_and_bad(void **state)
{
	(void) state;
	uint8_t bytes[512];
	struct dns_query q;
	size_t size = query_write(bytes, 7, "a.b", DNS_A, 0);
	for (size_t n = 0; n < 12; n++)
		assert_int_equal(dns_read_query(bytes, n, &q), DNS_READ_NOISE);
	for (size_t n = 12; n < size; n++)
		assert_int_equal(dns_read_query(bytes, n, &q), DNS_READ_BAD);
	bytes[2] |= 0x80; /* an answer */
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_NOISE);
	bytes[2] &= 0x7F;
	bytes[5] = 2; /* two questions */
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_BAD);
	bytes[5] = 0;
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_BAD);
	bytes[5] = 1;
	bytes[2] |= 5 << 3; /* UPDATE */
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
	assert_int_equal(q.opcode, 5);
	assert_false(q.has_question);
	bytes[2] = 1;
	bytes[12] = 0xC0; /* a name that points at itself */
	bytes[13] = 12;
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_BAD);
}

static void read_back(const struct dns_query *q, const struct dns_answer *answer, size_t capacity,
		      const char *expected)
{
	uint8_t out[1500];
	size_t size = 0;
	assert_true(dns_write_answer(q, answer, out, capacity, &size));
	assert_true(size <= capacity);
	char *text = packet_to_text(out, size);
	assert_string_equal(text, expected);
	free(text);
}

static void test_answers(void **state)
{
	(void) state;
	uint8_t bytes[512];
	struct dns_query q;
	size_t size = query_write(bytes, 0x1234, "Ip-1-2-3-4.ec2.internal", DNS_A, 0);
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
	read_back(&q, &(struct dns_answer){.is_authoritative = true, .a = ip_from_v4(0x01020304)}, 512,
		  "NOERROR aa rd ra; Ip-1-2-3-4.ec2.internal. A; an Ip-1-2-3-4.ec2.internal. 60 A 1.2.3.4");
	read_back(&q,
		  &(struct dns_answer){
			  .rcode = DNS_NXDOMAIN, .is_authoritative = true, .zone = STR("ec2.internal")},
		  512,
		  "NXDOMAIN aa rd ra; Ip-1-2-3-4.ec2.internal. A; ns ec2.internal. 60 SOA ec2.internal. "
		  "hostmaster.ec2.internal. 1 7200 900 1209600 60");
	read_back(&q, &(struct dns_answer){.rcode = DNS_SERVFAIL, .is_truncated = true}, 512,
		  "SERVFAIL tc rd ra; Ip-1-2-3-4.ec2.internal. A");
	size = query_write(bytes, 0x1234, "4.3.2.1.in-addr.arpa", DNS_PTR, 4096);
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
	read_back(&q, &(struct dns_answer){.is_authoritative = true, .ptr = STR("ip-1-2-3-4.ec2.internal")},
		  512,
		  "NOERROR aa rd ra edns=1232; 4.3.2.1.in-addr.arpa. PTR; an 4.3.2.1.in-addr.arpa. 60 PTR "
		  "ip-1-2-3-4.ec2.internal.");
	read_back(&q, &(struct dns_answer){.rcode = DNS_BADVERS}, 512,
		  "NOERROR rd ra edns=1232 extended=1; 4.3.2.1.in-addr.arpa. PTR");
	uint8_t out[64];
	assert_false(
		dns_write_answer(&q, &(struct dns_answer){.zone = STR("2.1.in-addr.arpa")}, out, 20, &size));
	q = (struct dns_query){.id = 9};
	read_back(&q, &(struct dns_answer){.rcode = DNS_FORMERR}, 12, "FORMERR ra");
}

static void test_is_answer(void **state)
{
	(void) state;
	uint8_t bytes[512];
	struct dns_query q;
	size_t size = query_write(bytes, 5, "www.example.com", DNS_A, 0);
	assert_int_equal(dns_read_query(bytes, size, &q), DNS_READ_QUERY);
	assert_false(dns_is_answer(bytes, size, 5, &q)); /* a query */
	bytes[2] |= 0x80;
	assert_true(dns_is_answer(bytes, size, 5, &q));
	assert_false(dns_is_answer(bytes, size, 6, &q));
	assert_false(dns_is_answer(bytes, 11, 5, &q));
	assert_false(dns_is_answer(bytes, size - 1, 5, &q));
	bytes[13] = 'W'; /* letter case may differ */
	assert_true(dns_is_answer(bytes, size, 5, &q));
	bytes[13] = 'v';
	assert_false(dns_is_answer(bytes, size, 5, &q));
	bytes[13] = 'w';
	bytes[size - 3] = DNS_PTR;
	assert_false(dns_is_answer(bytes, size, 5, &q));
}

/* Arbitrary input is read within its bounds, and the resulting answer can be encoded. */
static void take_any(const uint8_t *bytes, size_t size)
{
	struct dns_query q;
	uint8_t *exact = malloc(size ? size : 1),
		out[1232]; /* for sanitizers, which detect reads past the allocation */
	size_t out_size = 0;
	memcpy(exact, bytes, size);
	enum dns_reading reading = dns_read_query(exact, size, &q);
	if (reading != DNS_READ_NOISE) {
		struct dns_answer answer = {.rcode = DNS_SERVFAIL, .zone = STR("ec2.internal")};
		assert_true(dns_write_answer(&q, &answer, out, sizeof out, &out_size));
		if (q.has_question)
			(void) dns_is_answer(exact, size, q.id, &q);
	}
	free(exact);
}

static void test_mutations(void **state)
{
	(void) state;
	random_set_seed(20261120);
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t bytes[600];
		size_t size = query_write(bytes, (uint16_t) round, "ip-10-0-1-10.us-west-2.compute.internal",
					  round % 2 ? DNS_A : DNS_PTR, round % 3 ? 1232 : 0);
		for (uint64_t n = random_below(8); n > 0; n--)
			bytes[random_below(size)] = (uint8_t) random_u64();
		if (random_below(4) == 0)
			size = random_below(size + 1);
		take_any(bytes, size);
		random_bytes(bytes, sizeof bytes);
		bytes[2] &= 0x07;
		bytes[4] = 0;
		bytes[5] = 1;
		take_any(bytes, random_below(sizeof bytes));
	}
	random_set_seed(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_query), cmocka_unit_test(test_edns),
		cmocka_unit_test(test_names),       cmocka_unit_test(test_noise_and_bad),
		cmocka_unit_test(test_answers),     cmocka_unit_test(test_is_answer),
		cmocka_unit_test(test_mutations),
	};
	return cmocka_run_group_tests_name("dns_packet", tests, NULL, NULL);
}
