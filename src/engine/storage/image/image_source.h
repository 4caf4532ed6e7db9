/* SPDX-License-Identifier: Apache-2.0
 * Image properties that control how fetched data are processed. Written by: api/cloudstack. Read by:
 * reconcile/storage/image.c. */
#pragma once

/* "true": the file is compressed, as its URL's suffix says (drivers/image/image_unpack.h). */
#define IMAGE_UNPACK_PROPERTY "cloudstack_unpack"
/* Hex digest of the data as fetched: MD5, SHA-256 or SHA-512, by its length. */
#define IMAGE_CHECKSUM_PROPERTY "cloudstack_checksum"
