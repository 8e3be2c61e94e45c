# coding: utf-7
# tries: a program hidden in a comment by its encoding: it runs, as a program may
# ends: completed
# within: 3
# prints: hidden\n
# +AAo-print('hidden')
