from proofsheet.workflows.tables import Aggregates as Aggregates
from proofsheet.workflows.tables import FileAnalysis as FileAnalysis
from proofsheet.workflows.tables import Metric as Metric
from proofsheet.workflows.tables import MetricKind as MetricKind
from proofsheet.workflows.tables import Page as Page
from proofsheet.workflows.tables import ResultsPage as ResultsPage
from proofsheet.workflows.tables import Role as Role
from proofsheet.workflows.tables import TableComparisons as TableComparisons
from proofsheet.workflows.tables import analyze_table as analyze_table
from proofsheet.workflows.tables import compare as compare
from proofsheet.workflows.tables import compare_many as compare_many
from proofsheet.workflows.tables import compare_table as compare_table
from proofsheet.workflows.tables import results_page_of as results_page_of

__version__: str
