/* SPDX-License-Identifier: Apache-2.0
 * Security policies of HTTPS listeners: the protocols and ciphers that a name of AWS's stands for. Source: User Guide for
 * Application Load Balancers, "Security policies". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { TLS_POLICY_CIPHERS_MAX = 24 };

struct tls_policy {
	const char *name;
	const char *protocols[5]; /* "TLSv1.2", …, the newest last; NULL-terminated */
	const char
		*ciphers[TLS_POLICY_CIPHERS_MAX]; /* OpenSSL's names, the preferred first; NULL-terminated */
};
extern const struct tls_policy tls_policies[];
extern const size_t tls_policy_count;

#define TLS_POLICY_DEFAULT STR("ELBSecurityPolicy-2016-08")

/* NULL: there is none of that name. */
const struct tls_policy *tls_policy_find(struct str name);
/* TLS 1.3's ciphers are configured apart from the others. */
bool tls_cipher_is_1_3(const char *cipher);
