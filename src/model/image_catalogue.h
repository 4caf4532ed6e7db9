/* SPDX-License-Identifier: Apache-2.0
 * The catalogue of vendors' images (image_catalogue.def): where each is, how its bytes are vouched for, and
 * what the faces call it; and the rules of its versions and of checksum files. Pure; any thread. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* An OpenPGP key that ships with the program (keys/). */
struct image_key {
	const char *fingerprint; /* of the primary key: 40 capital hex digits */
	const struct str *armored;
};

struct image_vendor {
	const char *name;    /* "debian": what a mirror of many vendors calls its directory */
	const char *title;   /* "Debian" */
	const char *account; /* its number in AWS */
	const char *base;    /* where its files are; ends with a slash */
};

enum image_sums_form {
	IMAGE_SUMS_LINES, /* "HASH  NAME" or "HASH *NAME", as sha256sum writes them */
	IMAGE_SUMS_BSD,   /* "SHA256 (NAME) = HASH" */
	IMAGE_SUMS_BARE   /* the hash of the file beside it */
};
enum image_signing {
	IMAGE_SIGNING_NONE,     /* the vendor's checksums are believed because of HTTPS alone */
	IMAGE_SIGNING_DETACHED, /* .signature is over the checksum file */
	IMAGE_SIGNING_INLINE    /* the checksum file is clear-signed */
};
enum { IMAGE_SOURCE_ARCHS = 2, IMAGE_VERSION_MAX = 32 };

/* In its templates {v} is the version, {dots} the same with points for dashes, {arch} the vendor's word for
 * the architecture. Paths are relative to the vendor's base. */
struct image_source {
	const char *name, *alias; /* of the family; alias: NULL if there is none */
	const struct image_vendor *vendor;
	const char *archs
		[IMAGE_SOURCE_ARCHS]; /* {arch} of x86_64 and arm64, in the order of enum image_arch; NULL: none */
	const char *listing;          /* a page or a file whose words name the versions */
	const char *mark;             /* the word's last segment, with {v} in it */
	const char *versions[2];      /* forms of {v}: # is a run of digits; the second may be NULL */
	const char *file, *sums;
	enum image_sums_form form;
	enum image_signing signing;
	const char *signature;       /* of a detached one; else NULL */
	const struct image_key *key; /* NULL: nothing is signed */
	const char *ec2_name;        /* such that the filters which people copy for AWS find it */
	const char *description;
	const char *distro, *release, *login; /* os_distro and os_version in Glance's words; its first user */
};

/* All rows, in the order of the page that shows them. */
const struct image_source *image_catalogue(size_t *ret_count);
const struct image_source *image_source_find(struct str name); /* or an alias; NULL: none */
/* A template with its words filled in, in the arena. */
struct str image_source_fill(struct arena *a, const struct image_source *s, const char *template, int arch,
			     struct str version);
/* Whether the text is a version as this vendor writes them. */
bool image_source_has_form(const struct image_source *s, struct str version);
/* The newest version that the listing names for the architecture. It may be a web server's page of a directory,
 * a checksum file, or names one a line. Borrowed from the listing; empty: it names none. */
struct str image_source_newest(struct arena *a, const struct image_source *s, int arch, struct str listing);
/* Numbers count as numbers: 9.10 is newer than 9.9. */
int image_version_compare(struct str a, struct str b);

/* Whether it is the number by which a vendor of the catalogue is known in AWS. */
bool image_vendor_is_account(struct str number);

/* The SHA-256 or SHA-512 of a file in a checksum file, in hex as it is written there. Empty: it has none, or two that
 * differ. */
struct str image_sums_find(struct str sums, enum image_sums_form form, struct str file);
