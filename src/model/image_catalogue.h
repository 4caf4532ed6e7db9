/* SPDX-License-Identifier: Apache-2.0
 * The catalogue of vendors' images (image_catalogue.def): location, verification and the faces' names; and
 * rules for version numbers and checksum files. Pure; any thread. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* An OpenPGP key compiled into the program (keys/). */
struct image_key {
	const char *fingerprint; /* primary key's: 40 uppercase hex digits */
	const struct str *armored;
};

struct image_vendor {
	const char *name;    /* "debian": its directory name on multi-vendor mirrors */
	const char *title;   /* "Debian" */
	const char *account; /* its account number in AWS */
	const char *base;    /* URL of its files; ends with a slash */
};

enum image_sums_form {
	IMAGE_SUMS_LINES, /* "HASH  NAME" or "HASH *NAME", by sha256sum */
	IMAGE_SUMS_BSD,   /* "SHA256 (NAME) = HASH" */
	IMAGE_SUMS_BARE   /* only the hash of the file next to it */
};
enum image_signing {
	IMAGE_SIGNING_NONE,     /* checksums are trusted because of HTTPS only */
	IMAGE_SIGNING_DETACHED, /* .signature signs the checksum file */
	IMAGE_SIGNING_INLINE    /* the checksum file is clear-signed */
};
enum { IMAGE_SOURCE_ARCHS = 2, IMAGE_VERSION_MAX = 32 };

/* Placeholders in templates: {v} is the version, {dots} the same with dots instead of dashes, {arch} the
 * vendor's name of the architecture. Paths are relative to the vendor's base. */
struct image_source {
	const char *name, *alias; /* names of the family; alias NULL: none */
	const struct image_vendor *vendor;
	const char *archs
		[IMAGE_SOURCE_ARCHS]; /* {arch} of x86_64 and arm64, in the order of enum image_arch; NULL: none */
	const char *listing;          /* a page or file containing the versions */
	const char *mark;             /* last path segment to look for, containing {v} */
	const char *versions[2];      /* patterns for {v}: # is a run of digits; the second may be NULL */
	const char *file, *sums;
	enum image_sums_form form;
	enum image_signing signing;
	const char *signature;       /* URL of a detached signature; else NULL */
	const struct image_key *key; /* NULL: unsigned */
	const char *ec2_name;        /* matched by the usual filters for AWS images */
	const char *description;
	const char *distro, *release, *login; /* Glance's os_distro and os_version; the default user */
};

/* All rows, in display order. */
const struct image_source *image_catalogue(size_t *ret_count);
const struct image_source *image_source_find(struct str name); /* also finds aliases; NULL: none */
/* Fills in a template's placeholders, in the arena. */
struct str image_source_fill(struct arena *a, const struct image_source *s, const char *template, int arch,
			     struct str version);
/* True if the text is a version in this vendor's form. */
bool image_source_has_form(const struct image_source *s, struct str version);
/* The newest version in the listing for the architecture. The listing may be a web server's directory page, a
 * checksum file, or one name per line. Borrowed from the listing; empty: none. */
struct str image_source_newest(struct arena *a, const struct image_source *s, int arch, struct str listing);
/* Compares digit runs numerically: 9.10 is newer than 9.9. */
int image_version_compare(struct str a, struct str b);

/* True if it is the AWS account number of a vendor in the catalogue. */
bool image_vendor_is_account(struct str number);

/* A file's SHA-256 or SHA-512 in a checksum file, in hex as written there. Empty: none, or contradicting
 * ones. */
struct str image_sums_find(struct str sums, enum image_sums_form form, struct str file);
