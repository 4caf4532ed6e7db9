/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes the small parsers that every face uses: base64, %XX, numbers, times, addresses, ids, public keys,
 * forms with files. Values with a single written form must round-trip. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/ip.h"
#include "base/multipart.h"
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
	IGNORE(clock_parse_http(text, &time_us)); /* any answer is acceptable, a crash is not; also below */
}

static RESULT count_bytes(void *arg, struct str bytes)
{
	*(size_t *) arg += bytes.n;
	return OK;
}

/* Content of a form, parsed in pieces of that size; for a malformed form, the content found before the
 * error. */
static size_t read_form(struct str text, size_t step, bool *ret_has_file)
{
	struct multipart form;
	size_t found = 0;
	bool is_good = multipart_begin(&form, STR("multipart/form-data; boundary=b"));
	for (size_t at = 0; at < text.n && is_good; at += step)
		is_good = result_is_ok(
			multipart_add(&form, str_slice(text, at, at + step), count_bytes, &found));
	*ret_has_file = is_good && multipart_has_file(&form);
	return found;
}

static void read_forms(struct str text)
{
	bool at_once = false, in_pieces = false;
	if (read_form(text, text.n + 1, &at_once) != read_form(text, 3, &in_pieces) || at_once != in_pieces)
		abort();
	struct multipart form;
	(void) multipart_begin(&form, text);
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
	read_forms(text);
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
