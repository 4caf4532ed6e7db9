/* SPDX-License-Identifier: Apache-2.0
 * An S3 service of one bucket, in memory, on a thread: as much of it as backups use. It refuses a request that
 * is not signed, or whose body is not what its signed digest says. */
#pragma once

#include <stddef.h>

struct s3_server;
struct s3_server *s3_server_start(const char *bucket);
void s3_server_end(struct s3_server *s);
int s3_server_port(const struct s3_server *s);
size_t s3_server_count(struct s3_server *s);            /* objects */
void s3_server_fail(struct s3_server *s, int requests); /* so many of the next are answered with 503 */
