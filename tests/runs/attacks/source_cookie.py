# -*- coding: latin-1 -*-
# tries: a source that says that it is in another encoding
# ends: completed
# within: 3
# prints: Ã©\n
print("é")
