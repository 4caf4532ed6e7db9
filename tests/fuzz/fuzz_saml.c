/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes SAML: the input is a metadata document behind "m", a response in base64 behind "b", or a response before it is
 * encoded. The key of the provider's certificate was discarded, so no response may be accepted. */
#include <stdlib.h>

#include "auth/saml/saml.h"
#include "base/clock.h"
#include "model/saml_provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char certificate[] =
	"MIIBCTCBsaADAgECAgEHMAoGCCqGSM49BAMCMA4xDDAKBgNVBAMMA2lkcDAgFw0yMDAxMDEwMDAwMDBaGA8yMTE5MTIwODAw"
	"MDAwMFowDjEMMAoGA1UEAwwDaWRwMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExSntU3TX5IqTVAmeRo93qBqWCqaTx65o"
	"fuFBvLFzhhCxsZETlQjoPAo03nNkHXmghNzpn6QDeoJkoo7KNatAtzAKBggqhkjOPQQDAgNHADBEAiAMjgdjIdNu4bDjp3+3"
	"VQ+vP0XU2Q1aNNHlaGPm4c0xtAIgaZqs78Kg1PEFoCQPOfQLOrBMbbGb9/DayQhwNwPGzh0=";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, 16 << 20);
	struct str text = {(const char *) data, size}, body = str_from(certificate);
	const struct saml_provider provider = {.name = STR("corp"),
					       .entity_id = STR("https://idp.example.com/saml"),
					       .certificates = {&body, 1},
					       .expires_us = INT64_MAX};
	struct saml_document document;
	struct saml_assertion *assertion = arena_new_object(a, struct saml_assertion);
	struct ctx c;
	ctx_init(&c, a);
	if (str_starts_with(text, STR("m"))) {
		(void) saml_read_metadata(&c, str_slice(text, 1, text.n), &document);
	} else {
		struct str encoded = str_starts_with(text, STR("b")) ? str_slice(text, 1, text.n)
								     : str_encode_base64(a, text);
		if (assertion && result_is_ok(saml_read_response(&c, encoded, &provider, NULL, assertion)))
			abort();
	}
	arena_free(a);
	return 0;
}
