/* SPDX-License-Identifier: Apache-2.0
 * Makes and deletes certificates, secrets and containers, for test_limits.c. */
#pragma once

#include "engine/people/credential/acm_certificate.h"
#include "engine/people/credential/secret.h"
#include "engine/people/credential/server_certificate.h"

MADE(server_certificate, engine_create_server_certificate, server_certificate_wish, certificate,
     .certificate = id_new(KIND_SERVER_CERTIFICATE), .name = numbered(c, "certificate", n))
DROP(server_certificate, engine_delete_server_certificate, server_certificate_target,
     .certificate = ref_to(c, KIND_SERVER_CERTIFICATE, made))

MADE(acm_certificate, engine_import_acm_certificate, acm_import, certificate,
     .certificate = id_new(KIND_SERVER_CERTIFICATE), .body = numbered(c, "certificate", n))
DROP(acm_certificate, engine_delete_acm_certificate, acm_target,
     .certificate = ref_to(c, KIND_SERVER_CERTIFICATE, made))

MADE(secret, engine_create_secret, secret_wish, row.row.id, .row.row.id = id_new(KIND_SECRET),
     .row.name = numbered(c, "secret", n))
DROP(secret, engine_delete_secret, secret_target, .secret = ref_to(c, KIND_SECRET, made))

MADE(secret_container, engine_create_secret_container, secret_container_wish, made,
     .row.name = numbered(c, "container", n))
DROP(secret_container, engine_delete_secret_container, secret_container_target,
     .container = ref_to(c, KIND_SECRET_CONTAINER, made))
