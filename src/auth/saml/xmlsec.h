/* SPDX-License-Identifier: Apache-2.0
 * Includes libxmlsec1. Its headers include OpenSSL, which has a type with the name of one of our error kinds: the type is
 * renamed here. */
#pragma once

#define ERR_STATE OPENSSL_ERR_STATE
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/templates.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#undef ERR_STATE
