# Loaded before every program: stdout is a pipe, and what is printed is written at once, as on a terminal. Held back, the
# lines that were printed before a kill would be lost, and a prompt not be seen before its answer.
package Line;
$| = 1;
