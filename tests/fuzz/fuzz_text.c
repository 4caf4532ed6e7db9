/* SPDX-License-Identifier: Apache-2.0
 * The small readers that every face stands on: base64, %XX, numbers, times, addresses, ids, public
 * keys. What has one written form comes back as the same. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/ip.h"
#include "model/id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_bytes(struct arena *a, struct str text)
{
	struct str bytes, again;
	if (result_is_ok(str_decode_base64(a, text, &bytes)) &&
	    (!result_is_ok(str_decode_base64(a, str_encode_base64(a, bytes), &again)) ||
	     !str_equal(bytes, again)))
		abort();
	if (result_is_ok(str_decode_url(a, text, &bytes)) &&
	    (!result_is_ok(str_decode_url(a, str_encode_url(a, bytes, false), &again)) ||
	     !str_equal(bytes, again)))
		abort();
}

static void read_addresses(struct str text)
{
	struct ip ip, ip_again;
	struct cidr block, block_again;
	struct mac mac, mac_again;
	char out[CIDR_TEXT_SIZE];
	if (result_is_ok(ip_parse(text, &ip)) &&
	    (!result_is_ok(ip_parse(str_from(ip_write(ip, out)), &ip_again)) || !ip_equal(ip, ip_again)))
		abort();
	if (result_is_ok(cidr_parse(text, &block)) &&
	    (!result_is_ok(cidr_parse(str_from(cidr_write(block, out)), &block_again)) ||
	     !cidr_equal(block, block_again)))
		abort();
	if (result_is_ok(mac_parse(text, &mac)) &&
	    (!result_is_ok(mac_parse(str_from(mac_write(mac, out)), &mac_again)) ||
	     memcmp(&mac, &mac_again, sizeof mac) != 0))
		abort();
}

static void read_times(struct str text)
{
	int64_t time_us = 0, again_us = 0;
	char out[CLOCK_TEXT_SIZE];
	if (result_is_ok(clock_parse(text, &time_us)) &&
	    (!result_is_ok(clock_parse(str_from(clock_write_s(time_us, out)), &again_us)) ||
	     again_us > time_us || time_us - again_us >= SECOND))
		abort();
	IGNORE(clock_parse_http(text, &time_us)); /* any answer will do, but no crash, as below */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctx c;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct str text = {(const char *) data, size}, line, fingerprint;
	struct ref ref;
	bool is_ed25519 = false;
	int64_t number = 0;
	ctx_init(&c, arena);
	read_bytes(arena, text);
	read_addresses(text);
	read_times(text);
	IGNORE(str_parse_int(text, &number));
	IGNORE(id_parse_ec2(text, id_kind_of_ec2(text), &ref));
	IGNORE(crypto_check_public_key(&c, text, &line, &fingerprint, &is_ed25519));
	IGNORE(crypto_convert_public_key(&c, text, &line));
	(void) str_matches(text, str_slice(text, size / 2, size));
	(void) str_is_xml_text(text);
	arena_free(arena);
	return 0;
}
