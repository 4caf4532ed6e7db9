/* SPDX-License-Identifier: Apache-2.0
 * The table of security policies, in the order of their names. */
#include "model/tls_policy.h"

#define TLS13 "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"
#define ECDHE_GCM                                                                                            \
	"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",     \
		"ECDHE-RSA-AES256-GCM-SHA384"
#define ECDHE_SHA2                                                                                           \
	"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384",                 \
		"ECDHE-RSA-AES256-SHA384"
#define ECDHE_SHA1                                                                                           \
	"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"
#define RSA_SHA2 "AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256"

const struct tls_policy tls_policies[] = {
	{"ELBSecurityPolicy-2016-08",
	 {"TLSv1", "TLSv1.1", "TLSv1.2"},
	 {ECDHE_GCM, ECDHE_SHA2, ECDHE_SHA1, RSA_SHA2, "AES128-SHA", "AES256-SHA"}},
	{"ELBSecurityPolicy-TLS-1-2-2017-01", {"TLSv1.2"}, {ECDHE_GCM, ECDHE_SHA2, RSA_SHA2}},
	{"ELBSecurityPolicy-TLS13-1-2-2021-06", {"TLSv1.2", "TLSv1.3"}, {TLS13, ECDHE_GCM, ECDHE_SHA2}},
	{"ELBSecurityPolicy-TLS13-1-3-2021-06", {"TLSv1.3"}, {TLS13}},
};
const size_t tls_policy_count = sizeof tls_policies / sizeof tls_policies[0];

const struct tls_policy *tls_policy_find(struct str name)
{
	for (size_t k = 0; k < tls_policy_count; k++)
		if (str_is(name, tls_policies[k].name))
			return &tls_policies[k];
	return NULL;
}

bool tls_cipher_is_1_3(const char *cipher)
{
	return str_starts_with(str_from(cipher), STR("TLS_"));
}
