{ A unit of every program: what it prints is written at once, as on a terminal. Held back, the lines that were printed
  before a crash or a kill would be lost, and a prompt not be seen before its answer. }
unit runner_line;

interface

implementation

initialization
  TextRec(Output).FlushFunc := TextRec(Output).InOutFunc;
end.
