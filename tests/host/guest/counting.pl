#!/usr/bin/perl
# A job for the section "outlive": prints numbers until a file exists, and then the signals that it got. Exit code 7.
use strict;
use warnings;
$| = 1;
my @signals;
for my $name (qw(HUP INT QUIT USR1 USR2 PIPE TERM CONT TSTP)) {
  $SIG{$name} = sub { push @signals, $name };
}
my $number = 0;
until (-e '/var/tmp/outlive/go') {
  print ++$number, "\n";
  select undef, undef, undef, 0.5;
}
print "signals: @signals\n";
exit 7;
