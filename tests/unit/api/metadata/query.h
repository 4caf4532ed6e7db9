/* SPDX-License-Identifier: Apache-2.0
 * DNS packets for tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A query with RD; with an OPT record when edns_size is not 0. At most 300 bytes. */
size_t query_write(uint8_t *out, uint16_t id, const char *name, uint16_t type, uint16_t edns_size);
/* "NOERROR aa tc rd ra edns=1232; name. TYPE; an record; ns record", by ldns; to be freed. */
char *packet_to_text(const uint8_t *bytes, size_t size);
