#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: docs/limits.md src/daemon/commands_dump.c src/daemon/limits_page.c
# Reference pages that the program prints: coverage, docs/limits.md, the manual page, completion.
set -uo pipefail
cd "$(dirname "$0")/../../.."
dari=${DARI_BUILD:-build/main}/src/daemon/dari
failed=0

check() { # what, status
	if [ "$2" = 0 ]; then echo "ok - $1"; else echo "not ok - $1"; failed=1; fi
}

chapters=$("$dari" dump coverage | grep -c '^## ')
rows=$("$dari" dump coverage | grep -c '^| ')
[ "$chapters" -ge 10 ] && [ "$rows" -ge 1900 ]
check "dari dump coverage prints a chapter a face, and a row a call: $chapters, $rows" $?
diff <("$dari" dump limits) docs/limits.md
check "docs/limits.md is what dari dump limits prints (make docs)" $?

for row in "EC2, with STS:actions" IAM:iam OpenStack:openstack CloudStack:cloudstack Azure:azure "AWS Support:support" "EC2 Auto Scaling:autoscaling" CloudWatch:cloudwatch \
	"Elastic Load Balancing:elb" "Classic Load Balancers:elb-classic" "EBS direct:ebs" "Data Lifecycle Manager:dlm" "AWS Backup:awsbackup" "EC2 Instance Connect:connect" "EventBridge:events" \
	"AWS Certificate Manager:acm"; do
	count=$("$dari" dump "${row##*:}" | /usr/bin/jq '(.actions // .calls) | length')
	grep -qF "| ${row%%:*} | $count |" README.md
	check "README.md counts ${row%%:*}: $count" $?
done
count=$("$dari" dump native | /usr/bin/jq '[.actions[] | select(.method != "GET")] | length')
grep -qF "| Dari's own | $count changes," README.md
check "README.md counts changes of Dari's own API: $count" $?

version=$(sed -n "s/^project('dari'.* version: '\([^']*\)'.*/\1/p" meson.build)
[ -n "$version" ] && [ "$("$dari" --version)" = "dari $version" ]
check "dari --version prints the version of meson.build: $version" $?

warnings=$("$dari" dump manual | groff -Kutf8 -man -Tutf8 -ww -z 2>&1)
check "the manual page is clean roff: $warnings" "${#warnings}"
page=$("$dari" dump manual | groff -Kutf8 -man -Tutf8 -P-cbou)
missing=$("$dari" help | awk '/^  [a-z]/ && $1 != "dari" && $1 != "sudo" { print $1 }' | sort -u | while read -r word; do
	grep -q "^   $word" <<<"$page" || echo "$word"
done)
check "the manual page has every command: $missing" "${#missing}"

keys=$("$dari" dump manual | sed -n '/^\.SH CONFIGURATION/,/^\.SH FILES/s/^\.B //p' | sed 's/\\-/-/g')
missing=$(for key in $keys; do grep -qF "\`$key\`" docs/operations.md || echo "$key"; done)
[ -n "$keys" ] && [ -z "$missing" ]
check "docs/operations.md has every key of the configuration: $missing" $?

complete_line() { # words as typed, the last one unfinished
	local -a COMP_WORDS=("$@") COMPREPLY=()
	local COMP_CWORD=$(($# - 1))
	_dari
	echo "${COMPREPLY[*]}"
}
eval "$("$dari" dump completion)"
[ "$(complete_line dari acc)" = account ]
check "a command's first word" $?
[ "$(complete_line dari --v)" = --version ]
check "an option that is no command's" $?
[ "$(complete_line dari account cr)" = create ]
check "its second" $?
[ "$(complete_line dari host add hv1 --ur)" = --uri ]
check "its options" $?
exit "$failed"
