/* SPDX-License-Identifier: Apache-2.0
 * Properties of an image that say how its fetched data are taken in. Written by: api/cloudstack. Read by: reconcile/image.c. */
#pragma once

/* "true": what the URL leads to is packed, as the URL's end says (drivers/image_unpack.h). */
#define IMAGE_UNPACK_PROPERTY "cloudstack_unpack"
/* Digest of the data as they are fetched, packed or not: hex of MD5, SHA-256 or SHA-512, by its length. */
#define IMAGE_CHECKSUM_PROPERTY "cloudstack_checksum"
